import { createHash } from 'node:crypto';
import script from '../../../dist/page/client.js.txt';
import style from '../../../dist/page/page.css.txt';
import type { StoredRecord } from '../../trace/stored-record.ts';
import type { ShownLife } from '../shown-life.ts';
import { timeText } from '../time-text.ts';
import { Html, html } from './html.ts';
import { noticesOf, opensOn } from './notices.ts';
import type { PageData } from './page-data.ts';
import { cutToFit } from './page-limit.ts';
import { pageLife, type Surroundings } from './page-spans.ts';
import { plainPage } from './span-table.ts';

export interface PageTerms extends Pick<Surroundings, 'isRunning' | 'sentencesOf'> {
  /** When the page is made, ms since 1970. */
  readonly now: number;
  /** The record that its reader has asked for: where the page opens. */
  readonly named: StoredRecord | undefined;
}

export interface Page {
  readonly html: string;
  /** Operations that there was no room for, the oldest ones. */
  readonly leftOut: number;
}

/**
 * One page with everything in it, which asks for nothing: what attachments went through, to look at in a browser.
 *
 * @param texts all records that there are of the lives, in the order of the journal, with their lines
 */
export function tracePage(
  all: readonly ShownLife[],
  texts: ReadonlyMap<StoredRecord, string>,
  terms: PageTerms,
): Page {
  const { lives: shown, leftOut } = cutToFit(all, texts);
  const calls = shown.flatMap(({ operations }) => operations.flatMap(({ children }) => children));
  const own = new Set(calls.map(({ record }) => record));
  const ids = new Set(calls.flatMap(({ record }) => (record?.id ? [record.id] : [])));
  // Also what was written when a call began.
  const kept = [...texts.keys()].filter((record) => own.has(record) || ids.has(record.id));
  const lines = new Map(kept.map((record, index) => [record, index]));
  const around = { ...terms, lineOf: (record: StoredRecord) => lines.get(record) };
  const lives = shown.map(({ life, operations }) => pageLife(life, operations, around));
  const notices = noticesOf(lives);
  const data: PageData = {
    ...{ lives, notices },
    opensOn: terms.named && ids.has(terms.named.id) ? terms.named.id : opensOn(lives),
  };
  const journal = kept.map((record) => `${texts.get(record)}\n`).join('');
  return { html: document(data, journal, leftOut, timeText(terms.now)).text, leftOut };
}

function document(data: PageData, journal: string, leftOut: number, madeAt: string): Html {
  const [only, ...others] = data.lives;
  const title = only !== undefined && others.length === 0 ? only.name : `${data.lives.length} attachments`;
  const cut =
    leftOut === 0
      ? []
      : [html`<p class="cut">${leftOut} older operations are left out, for which this page has no room.</p>`];
  const count = journal.split('\n').length - 1;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="cni-debug trace --html">
<link rel="icon" href="data:,">
<title>${title} - cni-debug trace</title>
<style>${new Html(style)}</style>
</head>
<body>
<header class="top"><p class="brand">cni-debug trace</p><h1>${title}</h1><p class="made">written ${madeAt}</p></header>
${cut}
<div id="app" hidden></div>
<noscript>${plainPage(data.lives, data.notices)}</noscript>
<details class="records"><summary>${count} records, as the journal has them</summary>
<pre id="records" tabindex="0">
${journal}</pre></details>
<script type="application/json" id="data">${new Html(scriptText(data))}</script>
<script>${new Html(script)}</script>
</body>
</html>
`;
}

/** JSON in which nothing can end the element that it stands in, nor begin another. */
function scriptText(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** Nothing is fetched, sent or framed, and no script runs but ours, whatever a record would bring in. */
function policy(): string {
  const [scriptHash, styleHash] = [script, style].map((text) =>
    createHash('sha256').update(text).digest('base64'),
  );
  return [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}'`,
    `style-src 'sha256-${styleHash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
