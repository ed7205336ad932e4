/** A part of what is known, under its own heading; without lines there is nothing to say. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What `look` says; where it cannot be looked at, that, and why. */
export function section(title: string, look: () => readonly string[]): Section {
  try {
    return { title, lines: look() };
  } catch (error) {
    return { title, lines: [`not looked at: ${error instanceof Error ? error.message : String(error)}`] };
  }
}
