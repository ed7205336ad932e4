/** A span as `trace --json` prints it, as much of it as tests look at. */
export interface Span {
  readonly kind: string;
  readonly name: string;
  readonly duration: number;
  readonly critical?: true;
  readonly children: readonly Span[];
}
