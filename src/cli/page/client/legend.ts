import { element } from './element.ts';

/** What the colours, the marks and the keys mean. */
export function legend(): HTMLElement[] {
  const bars = [
    ['call', 'call'],
    ['plugin', 'plugin inside'],
    ['kernel', 'kernel, work'],
    ['wait', 'wait for a lock'],
    ['hook', 'hook, executable'],
    ['gap', 'the runtime, not recorded'],
    ['failed', 'failed'],
    ['kernel critical', 'underlined: critical path'],
  ] as const;
  return [
    element(
      'p',
      { class: 'legend' },
      ...bars.map(([kind, meaning]) =>
        element(
          'span',
          { class: kind },
          element('span', { class: 'sample', 'aria-hidden': 'true' }, element('span', { class: 'bar' })),
          meaning,
        ),
      ),
      element('span', {}, '~ failed, which was no fault'),
    ),
    element(
      'p',
      { class: 'keys' },
      ...keys.flatMap(([names, meaning]) => [
        element('span', {}, ...names.map((name) => element('kbd', {}, name)), ` ${meaning}`),
        ' ',
      ]),
    ),
  ];
}

const keys: readonly (readonly [readonly string[], string])[] = [
  [['↑', '↓'], 'span'],
  [['←', '→'], 'close, open'],
  [['Enter'], 'details'],
  [['Esc'], 'back'],
  [['+', '−', '0'], 'zoom'],
  [['Shift ←', 'Shift →'], 'move'],
  [['n', 'p'], 'next, previous operation'],
  [['e'], 'next failure'],
  [['/'], 'filter'],
];
