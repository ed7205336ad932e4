/** What a secret is replaced by. */
export const placeholder = '[redacted]';

/** A part of a text, from `start` to before `end`, and what takes its place. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** In order and without overlap: of spans that overlap, the first (the longer of two) covers them all. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push(span);
    else if (span.end > last.end) merged[merged.length - 1] = { ...last, end: span.end };
  }
  return merged;
}

/** The text with each span replaced; all else stays as it is. */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  let replaced = '';
  let position = 0;
  for (const { start, end, replacement } of mergeSpans(spans)) {
    replaced += text.slice(position, start) + replacement;
    position = end;
  }
  return replaced + text.slice(position);
}
