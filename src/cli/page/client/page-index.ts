import type { PageData, PageLife, PageOperation, PageSpan } from '../page-data.ts';

/** A span, and where it is. */
export interface Place {
  readonly span: PageSpan;
  readonly parent: Place | undefined;
  readonly operation: PageOperation;
  readonly life: PageLife;
}

/** Every span of the page by its ID. */
export class PageIndex {
  private readonly places = new Map<string, Place>();
  readonly operations: readonly Place[];

  constructor(data: PageData) {
    this.operations = data.lives.flatMap((life) =>
      life.operations.map((operation) => this.add({ span: operation, parent: undefined, operation, life })),
    );
  }

  get(id: string): Place | undefined {
    return this.places.get(id);
  }

  private add(place: Place): Place {
    this.places.set(place.span.id, place);
    for (const span of place.span.children ?? []) this.add({ ...place, span, parent: place });
    return place;
  }
}

/** From the operation down to what it is about. */
export function pathTo(place: Place): Place[] {
  return place.parent === undefined ? [place] : [...pathTo(place.parent), place];
}

/** A span and all below it, parents first. */
export function* spansOf(span: PageSpan): Generator<PageSpan> {
  yield span;
  for (const child of span.children ?? []) yield* spansOf(child);
}
