import { isObject, type Json, JsonNumber, stringifyJson } from '../../../cni/json.ts';
import { visible } from '../../../trace/visible-text.ts';
import type { Difference } from '../tree-difference.ts';
import { element } from './element.ts';

/** More elements than a page should make at once: the rest is made when it is asked for. */
const mostAtOnce = 200;

/** A document as a tree to open and close. Digits of numbers stand there as they came. */
export function jsonTree(key: string, value: Json, openLevels: number): HTMLElement {
  const parts = partsOf(value);
  if (parts === undefined) return leaf(key, value);
  return branch(
    { key, note: sizeOf(value), isOpen: openLevels > 0, class: '' },
    parts.map(
      ([name, part]) =>
        () =>
          jsonTree(name, part, openLevels - 1),
    ),
  );
}

/** Two documents as one tree, in which what was added, removed or changed has a sign and a colour. */
export function differenceTree(difference: Difference, openLevels: number): HTMLElement {
  const { key, mark, old, now, parts } = difference;
  if (mark === 'inside') {
    return branch(
      { key, note: '', isOpen: true, class: 'inside' },
      parts.map((part) => () => differenceTree(part, openLevels - 1)),
    );
  }
  if (mark === 'changed') {
    return element(
      'div',
      { class: 'leaf changed' },
      sign('~', 'changed'),
      element('span', { class: 'key' }, `${visible(key)}: `),
      element('del', {}, textOf(old ?? null)),
      ' → ',
      element('ins', {}, textOf(now ?? null)),
    );
  }
  const tree = jsonTree(key, now ?? old ?? null, mark === 'same' ? openLevels : 9);
  if (mark === 'same') return tree;
  tree.classList.add(mark);
  const head = tree.querySelector(':scope > summary') ?? tree;
  head.prepend(mark === 'added' ? sign('+', 'added') : sign('−', 'removed'));
  return tree;
}

function sign(character: string, meaning: string): HTMLElement {
  return element('span', { class: 'sign', title: meaning, 'aria-label': meaning, role: 'img' }, character);
}

function branch(
  head: { key: string; note: string; isOpen: boolean; class: string },
  parts: readonly (() => HTMLElement)[],
): HTMLDetailsElement {
  const details = element(
    'details',
    { class: `branch ${head.class}`.trim(), open: head.isOpen },
    element(
      'summary',
      {},
      element('span', { class: 'key' }, visible(head.key)),
      element('span', { class: 'size' }, head.note),
    ),
  );
  const body = element('div', { class: 'parts' });
  details.append(body);
  // Closed branches of a long record are most of it.
  let next = 0;
  const fill = () => {
    if (next > 0) return;
    const some = () => {
      body.append(...parts.slice(next, next + mostAtOnce).map((part) => part()));
      next += mostAtOnce;
      if (next >= parts.length) return;
      const more = element('button', { type: 'button' }, `${parts.length - next} more`);
      more.addEventListener('click', () => {
        more.remove();
        some();
      });
      body.append(more);
    };
    some();
  };
  if (head.isOpen) fill();
  else details.addEventListener('toggle', fill, { once: true });
  return details;
}

function leaf(key: string, value: Json): HTMLElement {
  const kind = value === null || value instanceof JsonNumber ? 'number' : typeof value;
  return element(
    'div',
    { class: 'leaf' },
    element('span', { class: 'key' }, `${visible(key)}: `),
    element('span', { class: `value ${kind}` }, textOf(value)),
  );
}

function partsOf(value: Json): [string, Json][] | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((one, at) => [String(at), one]);
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length === 0 ? undefined : entries;
}

function sizeOf(value: Json): string {
  return Array.isArray(value) ? ` [${value.length}]` : ` {${Object.keys(value as object).length}}`;
}

function textOf(value: Json): string {
  return visible(stringifyJson(value));
}
