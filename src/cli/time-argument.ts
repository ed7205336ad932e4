import { InvalidArgumentError } from 'commander';

const msOf: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
  ...{ d: 86_400_000, w: 7 * 86_400_000 },
};

const means =
  'A time is a duration before now (10m, 1h30m, 2d), RFC 3339 (2026-11-28T12:00:00Z), or of the local clock: "2026-11-28 12:00[:00]", 2026-11-28, 12:00, today, yesterday, now.';

/**
 * The time that a person means: so long ago (`10m`, `1h30m`, `2d`), RFC 3339, or the local clock's (`2026-11-28 12:00`,
 * `2026-11-28`, `12:00`, `today`, `yesterday`, `now`). Throws commander's InvalidArgumentError.
 */
export function timeArgument(text: string, now = new Date()): Date {
  const time = ago(text, now) ?? named(text, now) ?? withZone(text) ?? local(text, now);
  if (time === undefined || Number.isNaN(time.getTime())) throw new InvalidArgumentError(means);
  return time;
}

/** Milliseconds of `500ms`, `1.5s`, `1h30m`. Throws commander's InvalidArgumentError. */
export function durationArgument(text: string): number {
  const ms = durationOf(text);
  if (ms === undefined)
    throw new InvalidArgumentError('A duration is a number and ms, s, m, h, d or w: 500ms, 1.5s.');
  return ms;
}

function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) return undefined;
  const pieces = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)];
  return pieces.reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (msOf[unit] ?? 0), 0);
}

/** journalctl has `-10m`, and people say `10m ago`. */
function ago(text: string, now: Date): Date | undefined {
  const ms = durationOf(text.replace(/^-/, '').replace(/ ago$/, ''));
  return ms === undefined ? undefined : new Date(now.getTime() - ms);
}

function named(text: string, now: Date): Date | undefined {
  if (text === 'now') return now;
  const days = ['today', 'yesterday'].indexOf(text);
  return days < 0 ? undefined : new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
}

function withZone(text: string): Date | undefined {
  const [, date, clock, zone] = /^(\S{10})[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/i.exec(text) ?? [];
  if (date === undefined || local(`${date} ${clock}`, new Date(0)) === undefined) return undefined;
  return new Date(`${date}T${clock}${zone?.toUpperCase()}`);
}

function local(text: string, now: Date): Date | undefined {
  const found =
    /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?$/.exec(text);
  if (found === null || text === '') return undefined;
  const [, year, month, day, ...clock] = found;
  const [hour = 0, minute = 0, second = 0] = clock.map((digits) => Number(digits ?? 0));
  const ms = Number((clock[3] ?? '').padEnd(3, '0'));
  const date =
    year === undefined
      ? [now.getFullYear(), now.getMonth(), now.getDate()]
      : [Number(year), Number(month) - 1, Number(day)];
  const [y = 0, m = 0, d = 0] = date;
  const time = new Date(y, m, d, hour, minute, second, ms);
  // A Date goes on counting where there is no such day: 30 February.
  const isDay = time.getMonth() === m && (time.getDate() === d || hour > 23);
  return isDay && hour < 24 && minute < 60 && second < 61 ? time : undefined;
}
