/**
 * A time as a clock on the wall has it, with the day where that is not today: `12:00:01.123`,
 * `2026-11-27 12:00:01.123`; in UTC with a `Z` behind it.
 */
export function clockText(time: Date, utc: boolean, now = new Date()): string {
  const iso = inZone(time, utc);
  const [day = '', clock = ''] = iso.split('T');
  const isToday = inZone(now, utc).startsWith(day);
  return `${isToday ? '' : `${day} `}${clock.slice(0, 12)}${utc ? 'Z' : ''}`;
}

/** ISO 8601 of the zone's own day and hour. */
function inZone(time: Date, utc: boolean): string {
  return utc
    ? time.toISOString()
    : new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString();
}
