/** Marks of an axis from one time to another, about so many, at round numbers. In ms. */
export function ticksOf(from: number, to: number, about: number): number[] {
  const length = to - from;
  if (!(length > 0)) return [from];
  const rough = length / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, index) => {
    // Not a sum of many steps, whose rounding shows.
    const tick = (first + index) * step;
    return Number(tick.toPrecision(12));
  });
}

/** `0`, `20 ms`, `0.5 ms`, `1.25 s`: with no more digits than tell it from its neighbours. */
export function tickText(ms: number, longest: number): string {
  if (ms === 0) return '0';
  return longest >= 2000 ? `${Number((ms / 1000).toPrecision(6))} s` : `${Number(ms.toPrecision(6))} ms`;
}

/** A moment of the node's clock: `12:00:00.123` */
export function clockText(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString().slice(11, 23);
}

/** `+02:00` */
export function zoneText(offsetMinutes: number): string {
  const size = Math.abs(offsetMinutes);
  const [hours, minutes] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0'));
  return `${offsetMinutes < 0 ? '-' : '+'}${hours}:${minutes}`;
}
