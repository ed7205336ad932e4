import { decodeEscapes, spansInEscaped } from './escaped-text.ts';
import { findAssignments, isSecretOption, namesWhatFollows } from './secret-assignments.ts';
import { findSecretLines } from './secret-lines.ts';
import { type IsSecretName, isHarmless } from './secret-names.ts';
import { findSecretValues } from './secret-values.ts';
import { mergeSpans, placeholder, type Span } from './span.ts';

/** JSON in a string of JSON in a string of JSON: each level doubles the backslashes, so few are ever met. */
const deepest = 4;

/** `k=v`; what is shorter has no name in it. */
const shortest = 3;

/** What is between a name in quotation marks and its value: in JSON one colon; elsewhere `=`, `=>`, or a blank. */
const afterName = /\s*(?:[:=][\s:=>]*|(?="))/y;

const colon = /\s*:/y;

/** What separates an argument from the next, which is no option. */
const beforeNextItem = /\s*,\s*(?="[^-])/y;

/** What JSON does not have between its strings. */
const foreign = /[^\s,:{}[\]0-9+\-.eEtrufalsn]/;

const bareValue = /[^,}\]\r\n"]*/y;

/**
 * The secrets of a text that is JSON, or damaged or cut JSON, or has none in it, in order and without overlap. The
 * text is gone through once, and once more for each level of strings in strings, whatever it holds.
 */
export function findSecrets(text: string, isSecretName: IsSecretName, level = 0): Span[] {
  return new Scanner(text, isSecretName, level).scan();
}

/**
 * Sees the text as gaps between quotation marks. In JSON every other gap is a string; where a mark is missing nobody
 * knows which, so there each gap is tried.
 */
class Scanner {
  private readonly spans: Span[] = [];
  private readonly isJson: boolean;

  constructor(
    private readonly text: string,
    private readonly isSecretName: IsSecretName,
    private readonly level: number,
  ) {
    this.isJson = text.includes('"') && isWellQuoted(text);
  }

  scan(): Span[] {
    const { text } = this;
    if (this.isJson) {
      for (let mark = text.indexOf('"'); mark !== -1; ) mark = text.indexOf('"', this.gap(mark + 1));
    } else {
      if (text.includes('"')) this.add(findSecretLines(text, this.isSecretName), 0);
      for (let start = 0; start <= text.length; ) start = this.gap(start);
    }
    return mergeSpans(this.spans);
  }

  /** Looks into the gap that begins at `start`, and at the value it may be the name of. Returns where to go on. */
  private gap(start: number): number {
    const { text } = this;
    const end = endOfGap(text, start);
    const gap = text.slice(start, end);
    if (gap.length >= shortest) this.addGap(gap, start);
    if (end === text.length) return end + 1;
    const value = this.namedValue(gap, end);
    if (value === undefined) return end + 1;
    this.spans.push(value);
    // Where a mark is missing, what looks like a string may only separate two others: then it is looked at again.
    return this.isJson || isBracket(text[value.start]) ? value.end : end + 1;
  }

  private addGap(gap: string, start: number): void {
    const { text, isJson, isSecretName, level } = this;
    if (!gap.includes('\\') || level === deepest) {
      this.addPlain(gap, start);
      return;
    }
    const inside = findSecrets(decodeEscapes(gap), isSecretName, level + 1);
    this.add(spansInEscaped(gap, inside), start);
    // Not between two marks, so perhaps no part of a string: then a backslash is only a backslash.
    if (!isJson && (start === 0 || start + gap.length === text.length)) this.addPlain(gap, start);
  }

  private addPlain(gap: string, start: number): void {
    this.add(findSecretLines(gap, this.isSecretName), start);
    this.add(findAssignments(gap, this.isSecretName), start);
    this.add(findSecretValues(gap), start);
  }

  private add(spans: Span[], shift: number): void {
    for (const { start, end, replacement } of spans) {
      this.spans.push({ start: start + shift, end: end + shift, replacement });
    }
  }

  /** The value that `gap`, ended by the quotation mark at `quote`, is the name of. */
  private namedValue(gap: string, quote: number): Span | undefined {
    const { text, isJson, isSecretName } = this;
    const afterColon = matchAt(afterName, text, quote + 1);
    if (afterColon !== undefined && isSecretName(decodeEscapes(gap))) return valueAt(text, afterColon);
    const afterComma = matchAt(beforeNextItem, text, quote + 1);
    if (afterComma !== undefined && isSecretOption(gap, isSecretName)) {
      const value = valueAt(text, afterComma);
      return value && matchAt(colon, text, value.end) === undefined ? value : undefined;
    }
    if (isJson || !namesWhatFollows(decodeEscapes(gap), isSecretName)) return undefined;
    return valueAt(text, quote);
  }
}

/** Whether before, between and after the strings stands only what JSON has there; the text may be cut. */
function isWellQuoted(text: string): boolean {
  for (let start = 0; start <= text.length; ) {
    const end = endOfGap(text, start);
    const outside = text.slice(start, end).trim();
    const isFirst = start === 0;
    const isLast = end === text.length;
    if (outside === '' && !isFirst && !isLast) return false;
    if (outside !== '') {
      if (foreign.test(outside)) return false;
      if (!isFirst && !/^[,:}\]]/.test(outside)) return false;
      if (!isLast && !/[,:{[]$/.test(outside)) return false;
    }
    start = endOfGap(text, end + 1) + 1;
  }
  return true;
}

/** The index of the next quotation mark that is not escaped; the text's length when there is none. */
function endOfGap(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (quote - backslashes > start && text[quote - backslashes - 1] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return text.length;
}

/** The value that begins at `start`, to be replaced whole; booleans, null and nothing at all are undefined. */
function valueAt(text: string, start: number): Span | undefined {
  const end = endOfValue(text, start);
  if (end <= start || isHarmless(text.slice(start, end))) return undefined;
  return { start, end, replacement: `"${placeholder}"` };
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return Math.min(endOfGap(text, start + 1) + 1, text.length);
  if (isBracket(text[start])) return endOfBrackets(text, start);
  const closing = text[start] === "'" ? text.indexOf("'", start + 1) : -1;
  const bare = closing === -1 ? matchAt(bareValue, text, start) : undefined;
  let end = bare ?? closing + 1;
  while (/\s/.test(text[end - 1] ?? '') && end > start) end -= 1;
  return end;
}

function isBracket(character: string | undefined): boolean {
  return character === '{' || character === '[';
}

/** Where what is opened at `start` is closed again; the text's end when it never is. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  for (let position = start; position < text.length; position += 1) {
    const character = text[position];
    if (character === '"') position = endOfGap(text, position + 1);
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0) return position + 1;
  }
  return text.length;
}

/** The index after what a sticky pattern matches at `position`. */
function matchAt(sticky: RegExp, text: string, position: number): number | undefined {
  sticky.lastIndex = position;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}
