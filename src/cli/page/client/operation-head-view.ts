import { durationText } from '../../duration-text.ts';
import { element } from './element.ts';
import type { Place } from './page-index.ts';

/** Which operation it is of whom, when, and what came of it. */
export function operationHead({ operation, life }: Place): HTMLElement[] {
  const { name, startText, duration, ending, isGood, notes } = operation;
  return [
    element(
      'h2',
      {},
      element('span', { class: 'command' }, name),
      element('span', { class: 'when' }, startText),
      element('span', { class: 'took' }, duration === undefined ? 'no end' : durationText(duration)),
      element('span', { class: isGood ? 'ending good' : 'ending bad' }, ending),
    ),
    element('p', { class: 'whose' }, life.title),
    ...notes.map((note) => element('p', { class: 'note' }, note)),
  ];
}
