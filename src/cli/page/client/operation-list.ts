import { durationText } from '../../duration-text.ts';
import type { PageData, PageOperation } from '../page-data.ts';
import { element } from './element.ts';
import type { Filter } from './filter.ts';
import { fitsOperation } from './filter.ts';
import type { PageIndex } from './page-index.ts';

/** Every attachment with its operations, each with a bar that is as long as it took beside the others. */
export class OperationList {
  readonly node = element('nav', { class: 'operations', 'aria-label': 'attachments and their operations' });
  private readonly buttons = new Map<PageOperation, HTMLButtonElement>();
  private readonly lives: { readonly node: HTMLElement; readonly operations: readonly PageOperation[] }[] =
    [];

  constructor(
    data: PageData,
    private readonly index: PageIndex,
    private readonly select: (operation: PageOperation) => void,
  ) {
    const longest = Math.max(
      ...data.lives.flatMap(({ operations }) => operations.map(({ duration = 0 }) => duration)),
      0.001,
    );
    for (const { name, title, operations } of data.lives) {
      const items = operations.map((operation) => this.item(operation, longest));
      const node = element('section', {}, element('h2', { title }, name), element('ol', {}, ...items));
      this.lives.push({ node, operations });
      this.node.append(node);
    }
  }

  show(current: PageOperation, filter: Filter): void {
    const fitting = new Set(
      this.index.operations.filter((place) => fitsOperation(place, filter)).map(({ operation }) => operation),
    );
    for (const [operation, button] of this.buttons) {
      const isCurrent = operation === current;
      if (isCurrent) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
      (button.parentElement as HTMLElement).hidden = !fitting.has(operation) && !isCurrent;
    }
    for (const { node, operations } of this.lives)
      node.hidden = !operations.some((operation) => fitting.has(operation) || operation === current);
    const button = this.buttons.get(current);
    if (button) keepInSight(this.node, button);
  }

  private item(operation: PageOperation, longest: number): HTMLElement {
    const { name, startText, duration, ending, isGood, pause } = operation;
    const bar = element('span', { class: 'length', 'aria-hidden': 'true' });
    bar.style.width = `${(((duration ?? 0) / longest) * 100).toFixed(2)}%`;
    const button = element(
      'button',
      {
        type: 'button',
        class: isGood ? 'good' : 'bad',
        title: startText,
        click: () => this.select(operation),
      },
      element('span', { class: 'command' }, name),
      element('span', { class: 'clock' }, startText.slice(11, 19)),
      element('span', { class: 'took' }, duration === undefined ? 'no end' : durationText(duration)),
      element('span', { class: 'ending' }, ending),
      bar,
    );
    this.buttons.set(operation, button);
    return element(
      'li',
      {},
      pause === undefined ? undefined : element('span', { class: 'pause' }, pause),
      button,
    );
  }
}

/** Not `scrollIntoView`, which would move the page, too. */
function keepInSight(box: HTMLElement, item: HTMLElement): void {
  const [outer, inner] = [box.getBoundingClientRect(), item.getBoundingClientRect()];
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 40;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
}
