/** A duration for a person, with three digits that count: `0.62 ms`, `55.2 ms`, `1.23 s`, `2 m 3 s`, `3 h 4 m`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 59_995) return `${digits(ms / 1000)} s`;
  if (ms < 3_599_500) return pair(Math.round(ms / 1000), 60, 'm', 's');
  if (ms < 86_370_000) return pair(Math.round(ms / 60_000), 60, 'h', 'm');
  return pair(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function pair(count: number, size: number, unit: string, part: string): string {
  return `${Math.floor(count / size)} ${unit} ${count % size} ${part}`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
