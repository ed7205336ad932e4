import { durationText } from '../../duration-text.ts';
import type { ChainNode, ChangeLine, PageOperation } from '../page-data.ts';
import { arrow, element } from './element.ts';
import { shortList } from './short-list.ts';

/** More than that is read in the steps. */
const mostLines = 3;

/** The plugins of an operation in their order, with arrows from one to the next, and below each what it changed. */
export function chainView(operation: PageOperation, select: (id: string) => void): HTMLElement {
  const section = element(
    'section',
    { class: 'chain', 'aria-label': 'the chain' },
    element('h3', {}, 'Chain'),
  );
  section.append(list(operation.chain, operation, select, operation.name === 'ADD'));
  return section;
}

function list(
  nodes: readonly ChainNode[],
  operation: PageOperation,
  select: (id: string) => void,
  isOuter: boolean,
): HTMLElement {
  const items = nodes.map((node, index) =>
    element('li', {}, index === 0 ? undefined : arrow(), nodeView(node, operation, select)),
  );
  const end =
    isOuter && operation.isGood
      ? [element('li', {}, arrow(), element('div', { class: 'node end' }, operation.ending))]
      : [];
  return element('ol', { class: isOuter ? 'nodes' : 'nodes inner' }, ...items, ...end);
}

function nodeView(node: ChainNode, operation: PageOperation, select: (id: string) => void): HTMLElement {
  const { span, name, state, duration, error, result, changes, inside } = node;
  const head = [
    element('span', { class: 'type' }, name),
    element('span', { class: 'time' }, duration === undefined ? states[state] : durationText(duration)),
  ];
  return element(
    'div',
    { class: `node ${state}` },
    span === undefined
      ? element('div', { class: 'head' }, ...head)
      : element(
          'button',
          { type: 'button', class: 'head', 'data-node': span, click: () => select(span) },
          ...head,
        ),
    state === 'failed' && inside.every((one) => one.state !== 'failed') && error !== undefined
      ? element('p', { class: 'why' }, error)
      : undefined,
    inside.length > 0 ? list(inside, operation, select, false) : undefined,
    result.length + changes.length === 0
      ? undefined
      : element(
          'div',
          { class: 'columns' },
          lines('in the result', result),
          lines(result.length > 0 ? 'on the node' : '', changes),
        ),
  );
}

const states = { good: '', failed: 'failed', open: 'no end', unrecorded: 'not recorded' } as const;

function lines(title: string, all: readonly ChangeLine[]): HTMLElement | undefined {
  if (all.length === 0) return undefined;
  const items = (some: readonly ChangeLine[]) =>
    some.map(({ sign, text }) =>
      element(
        'li',
        { class: signNames[sign] },
        sign === '' ? undefined : element('span', { class: 'sign' }, sign === '-' ? '−' : sign),
        element('span', {}, text),
      ),
    );
  return element(
    'div',
    { class: 'changes' },
    title === '' ? undefined : element('p', { class: 'title' }, title),
    ...shortList(items(all), mostLines),
  );
}

const signNames = {
  ...{ '+': 'signed added', '-': 'signed removed', '~': 'signed changed' },
  '': '',
} as const;
