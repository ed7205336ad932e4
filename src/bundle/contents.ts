import { isObject, type Json, type JsonObject, parseJson, stringifyJson } from '../cni/json.ts';
import type { KnownSecrets } from '../trace/known-secrets.ts';
import type { Redactor } from '../trace/redaction.ts';
import { placeholder } from '../trace/span.ts';

/** A file of a bundle, redacted. */
export interface BundleFile {
  readonly name: string;
  readonly text: string;
  /** Where something was redacted: paths in JSON, of lines of JSON each but once; else the number of places. */
  readonly redacted: readonly string[];
}

/** What belongs into a bundle and could not be had. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
}

/** Collects the files of a bundle; nothing comes in that was not redacted, and what fails keeps nothing else out. */
export class Contents {
  readonly files: BundleFile[] = [];
  readonly missing: Missing[] = [];

  constructor(
    private readonly redactor: Redactor,
    private readonly secrets: KnownSecrets,
  ) {}

  /** What `read` makes of it, as JSON; an error becomes the reason why the file is missing. */
  async json(name: string, read: () => Json | Promise<Json>): Promise<void> {
    await this.attempt(name, async () => {
      const value = this.redactor.json(await read());
      this.add(name, `${stringifyJson(value, '  ')}\n`);
    });
  }

  /** A line of JSON for each. */
  async lines(name: string, read: () => readonly JsonObject[]): Promise<void> {
    await this.attempt(name, () => {
      const lines = read().map((record) => `${stringifyJson(this.redactor.json(record))}\n`);
      this.add(name, lines.join(''));
    });
  }

  /** A text as it is: JSON keeps its layout, and damage its place. */
  async text(name: string, read: () => string): Promise<void> {
    await this.attempt(name, () => this.add(name, this.redactor.text(read())));
  }

  leaveOut(name: string, reason: string): void {
    const { redactor, secrets } = this;
    this.missing.push({ name, reason: secrets.redact(redactor.text(reason)) });
  }

  private async attempt(name: string, read: () => void | Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.leaveOut(name, error instanceof Error ? error.message : String(error));
    }
  }

  private add(name: string, redacted: string): void {
    const text = this.secrets.redact(redacted);
    this.files.push({ name, text, redacted: redactedPlaces(text) });
  }
}

function redactedPlaces(text: string): string[] {
  if (!text.includes(placeholder)) return [];
  const documents = jsonIn(text);
  if (documents === undefined) return [`${text.split(placeholder).length - 1} places`];
  return [...new Set(documents.flatMap((document) => pathsOf(document, '')))];
}

/** The document, or one for each line. */
function jsonIn(text: string): Json[] | undefined {
  const parse = (part: string) => {
    try {
      return [parseJson(part)];
    } catch {
      return undefined;
    }
  };
  const lines = () => text.split('\n').filter(Boolean).map(parse);
  const whole = parse(text) ?? lines();
  return whole.every((document) => document !== undefined) ? (whole.flat() as Json[]) : undefined;
}

function pathsOf(value: Json, path: string): string[] {
  if (typeof value === 'string') return value.includes(placeholder) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => pathsOf(item, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const own = path === '' ? key : `${path}.${key}`;
    return [
      ...(key.includes(placeholder) ? [`a key of ${path || 'the document'}`] : []),
      ...pathsOf(member, own),
    ];
  });
}
