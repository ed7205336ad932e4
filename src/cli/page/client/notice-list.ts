import type { Notice } from '../page-data.ts';
import { element } from './element.ts';
import { shortList } from './short-list.ts';

/** What failed comes before everything else; so many are on the first screen. */
const mostAtOnce = 6;

const marks = { error: '✕', unended: '…', finding: '!' } as const;

export function noticeList(notices: readonly Notice[], select: (id: string) => void): HTMLElement {
  if (notices.length === 0)
    return element(
      'section',
      { class: 'notices none' },
      element('p', {}, 'No call failed, and nothing was found.'),
    );
  const items = (some: readonly Notice[]) => some.map((notice) => item(notice, select));
  return element(
    'section',
    { class: 'notices', 'aria-label': 'what failed, and what was found' },
    element('h2', {}, titleOf(notices)),
    ...shortList(items(notices), mostAtOnce),
  );
}

function item({ kind, span, where, text }: Notice, select: (id: string) => void): HTMLElement {
  return element(
    'li',
    { class: kind },
    element(
      'button',
      { type: 'button', 'data-notice': span, click: () => select(span) },
      element('span', { class: 'mark', 'aria-hidden': 'true' }, marks[kind]),
      element('span', { class: 'text' }, text),
      element('span', { class: 'where' }, where),
    ),
  );
}

function titleOf(notices: readonly Notice[]): string {
  const count = (of: Notice['kind']) => notices.filter(({ kind }) => kind === of).length;
  const words = [
    [count('error'), 'call failed', 'calls failed'],
    [count('unended'), 'call has no end', 'calls have no end'],
    [count('finding'), 'finding', 'findings'],
  ] as const;
  return words
    .flatMap(([number, one, many]) => (number === 0 ? [] : `${number} ${number === 1 ? one : many}`))
    .join(', ');
}
