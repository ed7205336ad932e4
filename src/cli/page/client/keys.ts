import type { PageIndex, Place } from './page-index.ts';
import { spansOf } from './page-index.ts';
import type { Toolbar } from './toolbar.ts';
import type { WaterfallView } from './waterfall-view.ts';

interface Controls {
  readonly toolbar: Toolbar;
  readonly waterfall: WaterfallView;
  readonly index: PageIndex;
  readonly select: (id: string) => void;
  readonly place: () => Place;
}

/** The keys that do something wherever the focus is, except while somebody types. */
export function listenForKeys(controls: Controls): void {
  const { toolbar, waterfall } = controls;
  const { zoom } = waterfall;
  const go = (move: (controls: Controls) => void) => () => {
    move(controls);
    waterfall.focus();
  };
  const plain: Readonly<Record<string, () => void>> = {
    '/': () => toolbar.focus(),
    '+': () => zoom.by(0.5),
    '=': () => zoom.by(0.5),
    '-': () => zoom.by(2),
    '0': () => zoom.reset(),
    n: go((all) => toOperation(all, 1)),
    p: go((all) => toOperation(all, -1)),
    e: go(toNextFailure),
  };
  const shifted: Readonly<Record<string, () => void>> = {
    ...{ ArrowLeft: () => zoom.pan(-0.2), ArrowRight: () => zoom.pan(0.2) },
    '+': () => zoom.by(0.5),
    '/': () => toolbar.focus(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key === 'Escape') {
      if (target.id === 'filter') toolbar.clear();
      waterfall.focus();
      return;
    }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    const action = (event.shiftKey ? shifted : plain)[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function toOperation({ index, select, place }: Controls, step: number): void {
  const at = index.operations.findIndex(({ operation }) => operation === place().operation);
  const next = index.operations[at + step]?.operation;
  if (next !== undefined) select(next.children?.[0]?.id ?? next.id);
}

/** The next call that failed, in this operation or one behind it; behind the last comes the first. */
function toNextFailure({ index, select, place }: Controls): void {
  const failed = index.operations.flatMap(({ operation }) =>
    [...spansOf(operation)].filter(({ kind, isFault }) => isFault && kind !== 'operation'),
  );
  const at = failed.indexOf(place().span);
  const next = failed[(at + 1) % Math.max(1, failed.length)];
  if (next !== undefined) select(next.id);
}
