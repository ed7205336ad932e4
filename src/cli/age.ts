/** The largest unit that there is at least one of, as kubectl has it: `3m`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [['d', 86_400] as const, ['h', 3600] as const, ['m', 60] as const];
  const unit = units.find(([, length]) => seconds >= length);
  return unit === undefined ? `${seconds}s` : `${Math.floor(seconds / unit[1])}${unit[0]}`;
}
