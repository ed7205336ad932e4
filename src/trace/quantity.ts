const bytesOf: Record<string, number> = {
  B: 1,
  KB: 2 ** 10,
  KiB: 2 ** 10,
  MB: 2 ** 20,
  MiB: 2 ** 20,
  GB: 2 ** 30,
  GiB: 2 ** 30,
};

const msOf: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Node's timers fire at once when they are asked to wait longer: 24 days and 20 hours. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The bytes of a size such as `"16MB"`: a whole number and B, KB, MB or GB (also KiB, MiB, GiB), all in steps of
 * 1024. Undefined when it is anything else, zero, or more than a double can count.
 */
export function parseSize(text: string): number | undefined {
  return parse(text, bytesOf, Number.MAX_SAFE_INTEGER);
}

/**
 * The milliseconds of a duration such as `"500ms"`, `"10s"`, `"2m"` or `"1h"`. Undefined when it is anything else,
 * zero, or longer than a timer can wait.
 */
export function parseDuration(text: string): number | undefined {
  return parse(text, msOf, longestTimerMs);
}

function parse(text: string, units: Record<string, number>, most: number): number | undefined {
  const [, digits, name = ''] = /^([1-9][0-9]*)([A-Za-z]+)$/.exec(text) ?? [];
  const unit = Object.hasOwn(units, name) ? units[name] : undefined;
  if (digits === undefined || unit === undefined) return undefined;
  const quantity = Number(digits) * unit;
  return quantity <= most ? quantity : undefined;
}
