/** A time of this node's clock, with its zone: `2026-11-28 00:42:57.226 +00:00`. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const local = new Date(ms + offset * 60_000).toISOString().replace('T', ' ').replace('Z', '');
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${local} ${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
}
