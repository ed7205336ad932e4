import { element } from './element.ts';

/** The first `most` of them as a list, and the others in one that is opened. */
export function shortList(items: readonly Node[], most: number): (Node | undefined)[] {
  const rest = items.slice(most);
  return [
    element('ul', {}, ...items.slice(0, most)),
    rest.length === 0
      ? undefined
      : element('details', {}, element('summary', {}, `${rest.length} more`), element('ul', {}, ...rest)),
  ];
}
