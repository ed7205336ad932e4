import { type IsSecretName, isHarmless } from './secret-names.ts';
import { placeholder, type Span } from './span.ts';

/** `--token abc`; the value must not be another option. */
const option = /(?<![\w-])--?([A-Za-z][\w.-]*)[ \t]+(?![-\s"])/g;

/** Headers whose value is the whole rest of the line. */
const isHeader = /authorization|cookie/i;

/** `password=x`, `client-secret: x`, Go's `Token:x`, and `--token x`, anywhere in a line. */
export function findAssignments(text: string, isSecretName: IsSecretName): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const separator = text[at];
    if (separator !== '=' && separator !== ':') continue;
    const name = nameBefore(text, at);
    if (name.text === '' || !isSecretName(name.text) || isNoAssignment(text, at, name)) continue;
    const value = valueAt(text, at + 1, isHeader.test(name.text));
    if (value === undefined) continue;
    spans.push(value);
    at = value.end - 1;
  }
  if (!text.includes('-')) return spans;
  for (const { index, 0: whole, 1: name = '' } of text.matchAll(option)) {
    const value = isSecretName(name) ? valueAt(text, index + whole.length, false) : undefined;
    if (value !== undefined) spans.push(value);
  }
  return spans;
}

/** Whether `text` ends as `token=`, `token: ` or `--token ` do: what is quoted after it is a secret. */
export function namesWhatFollows(text: string, isSecretName: IsSecretName): boolean {
  const end = skipBlanksBack(text, text.length);
  if (text[end - 1] === '=' || text[end - 1] === ':') return isSecretName(nameBefore(text, end - 1).text);
  return end < text.length && isSecretOption(text.slice(nameBefore(text, end).start, end), isSecretName);
}

/** `--token`, the whole argument. */
export function isSecretOption(argument: string, isSecretName: IsSecretName): boolean {
  return /^--?[A-Za-z][\w.-]*$/.test(argument) && isSecretName(argument);
}

interface Name {
  readonly text: string;
  readonly start: number;
  readonly isQuoted: boolean;
}

/** The name before a separator. No stretch of text is gone through twice: a name has no separator in it. */
function nameBefore(text: string, separator: number): Name {
  let end = skipBlanksBack(text, separator);
  const isQuoted = text[end - 1] === "'";
  if (isQuoted) end -= 1;
  let start = end;
  while (start > 0 && isNameCharacter(text.charCodeAt(start - 1))) start -= 1;
  return { text: text.slice(start, end), start, isQuoted };
}

function skipBlanksBack(text: string, end: number): number {
  let position = end;
  while (text[position - 1] === ' ' || text[position - 1] === '\t') position -= 1;
  return position;
}

function isNameCharacter(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code >= 0x80;
  return isDigit || isLetter || code === 0x2d || code === 0x2e || code === 0x5f;
}

/**
 * `a == b`, `token://host`, `registry/auth:v1` and sentences: one plain word before a colon and a blank, as in
 * `missing key: mtu`, mostly is one. `password: x`, `clientSecret: x` and `'token': x` are not.
 */
function isNoAssignment(text: string, separator: number, name: Name): boolean {
  if (text[separator] === '=') return text[separator + 1] === '=';
  if (text.startsWith('//', separator + 1) || text[name.start - 1] === '/') return true;
  const hasBlank = /\s/.test(text[separator + 1] ?? ' ');
  const isTelling = /[_.-]|[a-z][A-Z]/.test(name.text) || /pass|pwd|authorization|cookie/i.test(name.text);
  return hasBlank && !isTelling && !name.isQuoted;
}

/** The value from `from` on, quoted or up to where it can no longer go on; undefined when there is no secret. */
function valueAt(text: string, from: number, isWholeLine: boolean): Span | undefined {
  let start = from;
  while (text[start] === ' ' || text[start] === '\t') start += 1;
  const closing = text[start] === "'" ? text.indexOf("'", start + 1) : -1;
  if (closing !== -1) start += 1;
  const end = closing === -1 ? endOfBareValue(text, start, isWholeLine) : closing;
  if (isHarmless(text.slice(start, end))) return undefined;
  return { start, end, replacement: placeholder };
}

/** A list goes on after one of these with another name. */
const nextName = /[,;&]\s*[\w.-]+=/y;

function endOfBareValue(text: string, start: number, isWholeLine: boolean): number {
  let end = start;
  for (; end < text.length; end += 1) {
    const character = text[end] ?? '';
    if (character === '\n' || character === '\r' || character === '"') break;
    if (isWholeLine) continue;
    if (isWhiteSpace(character)) break;
    if (character === ',' || character === ';' || character === '&') {
      nextName.lastIndex = end;
      if (nextName.test(text)) break;
    }
  }
  // What closes a sentence or a bracket is not the value's; nor is the escape of the quotation mark behind it.
  while (end > start && /[\s,;)}\\]/.test(text[end - 1] ?? '')) end -= 1;
  return end;
}

function isWhiteSpace(character: string): boolean {
  return character.trim() === '';
}
