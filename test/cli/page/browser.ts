import { expect } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** What a page did besides what it shows. */
export interface Watched {
  readonly page: Page;
  /** Everything that was asked for, but the page itself. */
  readonly requests: string[];
  /** Errors, warnings, refusals of the Content-Security-Policy, and dialogues. */
  readonly complaints: string[];
}

const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** A Chromium with a profile of its own, without a window. For `await using`. */
export class Browser {
  private constructor(
    private readonly profile: string,
    private readonly context: BrowserContext,
  ) {}

  static async start(options: BrowserContextOptions = {}): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
    const context = await chromium.launchPersistentContext(profile, {
      ...{ executablePath: '/usr/bin/chromium', headless: true, args, acceptDownloads: true },
      ...{ viewport: { width: 1440, height: 960 }, ...options },
    });
    return new Browser(profile, context);
  }

  async open(file: string, hash = ''): Promise<Watched> {
    const page = await this.context.newPage();
    const address = `file://${file}${hash}`;
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (request.url() !== address.replace(/#.*/, '') && request.url() !== address)
        requests.push(request.url());
    });
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', async (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    await page.goto(address);
    return { page, requests, complaints };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** The row of the span that is selected. */
export const selected = '[role=treeitem][aria-selected=true]';

export function selectedSpan({ page }: Watched): Promise<string | null> {
  return page.getAttribute(selected, 'data-span');
}

/** What nothing of a page may leave behind. */
export function expectQuiet({ requests, complaints }: Watched): void {
  expect({ requests, complaints }).toEqual({ requests: [], complaints: [] });
}
