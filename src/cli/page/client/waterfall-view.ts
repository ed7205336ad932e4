import { durationText } from '../../duration-text.ts';
import type { PageOperation, PageSpan } from '../page-data.ts';
import { clockText } from '../time-axis.ts';
import { element } from './element.ts';
import { type Filter, noFilter } from './filter.ts';
import { collapsedAtFirst, type Row, rowsOf } from './waterfall-rows.ts';
import { WaterfallZoom } from './waterfall-zoom.ts';

interface DrawnRow extends Row {
  readonly line: HTMLElement;
  readonly bar: HTMLElement;
}

/** The spans of one operation over its time, as a tree that is gone through by keyboard. */
export class WaterfallView {
  readonly node = element('div', { class: 'waterfall' });
  readonly zoom: WaterfallZoom;
  private readonly tree = element('div', { role: 'tree', class: 'rows', 'aria-label': 'spans over time' });
  private readonly counted = element('p', { class: 'counted', role: 'status' });
  private readonly collapsed = new Set<PageSpan>();
  private readonly unfolded = new Set<PageSpan>();
  private readonly seen = new Set<PageOperation>();
  private rows: DrawnRow[] = [];
  private operation: PageOperation | undefined;
  private selected: PageSpan | undefined;
  private filter = noFilter;

  constructor(
    private readonly select: (span: PageSpan) => void,
    private readonly open: () => void,
  ) {
    this.zoom = new WaterfallZoom(() => this.placeBars());
    this.node.append(this.zoom.axis, this.tree, this.counted);
    this.zoom.listenOn(this.node);
    this.tree.addEventListener('keydown', (event) => this.key(event));
  }

  show(operation: PageOperation, selected: PageSpan, filter: Filter): void {
    if (operation !== this.operation) this.zoom.reset(operation);
    if (!this.seen.has(operation)) for (const span of collapsedAtFirst(operation)) this.collapsed.add(span);
    this.seen.add(operation);
    Object.assign(this, { operation, selected, filter });
    this.draw();
  }

  focus(): void {
    this.rowOfSelected()?.line.focus({ preventScroll: false });
  }

  /** Rows are few thousands at most, of one operation: they are made anew. */
  private draw(): void {
    const { operation, filter, collapsed, unfolded } = this;
    if (operation === undefined) return;
    this.unfoldFor(this.selected);
    this.rows = rowsOf(operation, { filter, collapsed, unfolded }).map((row) => this.drawRow(row));
    this.tree.replaceChildren(...this.rows.map(({ line }) => line));
    const spans = this.rows.filter(({ steps }) => steps === undefined).length;
    this.counted.textContent =
      this.rows.length === 0
        ? 'Nothing here fits the filter.'
        : filter === noFilter
          ? ''
          : `${spans} spans fit.`;
    this.placeBars();
    const entry = this.rowOfSelected() ?? this.rows[0];
    if (entry !== undefined) entry.line.tabIndex = 0;
  }

  /** What is selected must be seen. */
  private unfoldFor(span: PageSpan | undefined): void {
    const parents = span === undefined || !this.operation ? [] : parentsOf(this.operation, span);
    for (const parent of parents) this.collapsed.delete(parent);
    const parent = parents.at(-1);
    if (parent === undefined || span === undefined || this.operation === undefined) return;
    const rows = rowsOf(this.operation, { ...this, filter: noFilter });
    if (rows.some(({ steps }) => steps?.includes(span))) this.unfolded.add(parent);
  }

  private drawRow(row: Row): DrawnRow {
    const { span, depth, steps } = row;
    const { id, kind, name, duration, isFault, isOpen, isCritical, findings, error, children = [] } = span;
    const isFold = steps !== undefined;
    const classes = [
      'row',
      isFold ? 'fold' : kind,
      !isFold && isFault ? 'failed' : '',
      !isFold && error !== undefined && !isFault ? 'tolerated' : '',
      !isFold && isOpen ? 'open' : '',
      !isFold && isCritical ? 'critical' : '',
      span === this.selected && !isFold ? 'selected' : '',
    ];
    const mark = isFold ? '' : isFault ? '✕' : isOpen ? '…' : findings ? '!' : error === undefined ? '' : '~';
    const took = isFold ? lengthOf(steps) : duration;
    const bar = element('div', { class: 'bar' });
    const isParent = !isFold && children.length > 0;
    const line = element(
      'div',
      {
        class: classes.filter(Boolean).join(' '),
        role: 'treeitem',
        tabindex: -1,
        'aria-level': depth + 1,
        'aria-selected': String(span === this.selected && !isFold),
        'aria-expanded': isParent ? String(!this.collapsed.has(span)) : isFold ? 'false' : undefined,
        'aria-label': isFold ? `${steps.length} small steps` : labelOf(span),
        'data-span': isFold ? undefined : id,
        title: isFold ? 'show these steps' : this.titleOf(span),
        click: (event) => this.click(event, row),
      },
      element(
        'span',
        { class: `name depth-${Math.min(depth, 6)}` },
        element('span', { class: 'twist', 'aria-hidden': 'true' }, isParent || isFold ? '▸' : ''),
        element('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
        element('span', { class: 'text' }, isFold ? `${steps.length} small steps` : name),
        kind === 'call' ? element('span', { class: 'id' }, id.slice(0, 8)) : undefined,
      ),
      element('span', { class: 'track' }, bar),
      element('span', { class: 'took' }, took === undefined ? 'no end' : durationText(took)),
    );
    return { ...row, line, bar };
  }

  private titleOf({ name, start, duration = 0, error }: PageSpan): string {
    const { begunAt = 0, offset = 0 } = this.operation ?? {};
    const times = [start, start + duration].map((time) => clockText(begunAt + time, offset));
    return [name, `${times.join(' to ')}, ${durationText(duration)}`, error].filter(Boolean).join('\n');
  }

  private placeBars(): void {
    for (const { span, steps, bar } of this.rows) {
      const duration = steps === undefined ? (span.duration ?? Number.POSITIVE_INFINITY) : lengthOf(steps);
      this.zoom.place(bar, span.start, duration);
    }
  }

  private click(event: MouseEvent, { span, steps }: Row): void {
    if (this.zoom.hasDragged) return;
    if (steps !== undefined) {
      this.unfold(steps);
      return;
    }
    const isTwist = event.target instanceof Element && event.target.classList.contains('twist');
    if (isTwist && (span.children ?? []).length > 0) this.toggle(span, !this.collapsed.has(span));
    this.select(span);
    this.focus();
  }

  private unfold(steps: readonly PageSpan[]): void {
    const [first] = steps;
    const parent = first && this.operation && parentsOf(this.operation, first).at(-1);
    if (first === undefined || parent === undefined) return;
    this.unfolded.add(parent);
    this.select(first);
    this.focus();
  }

  private toggle(span: PageSpan, isCollapsed: boolean): void {
    if (isCollapsed) this.collapsed.add(span);
    else this.collapsed.delete(span);
  }

  private rowOfSelected(): DrawnRow | undefined {
    return this.rows.find(({ span, steps }) => span === this.selected && steps === undefined);
  }

  /** As the tree of an operating system (ARIA authoring practices, tree view). */
  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = this.rows.findIndex(({ line }) => line === document.activeElement);
    const row = this.rows[at];
    if (row === undefined) return;
    const { span, steps, depth } = row;
    const isParent = steps === undefined && (span.children ?? []).length > 0;
    const isCollapsed = this.collapsed.has(span);
    const parentRow = () => this.rows.slice(0, at).findLastIndex((one) => one.depth < depth);
    const moves: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.moveTo(at + 1),
      ArrowUp: () => this.moveTo(at - 1),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(this.rows.length - 1),
      ArrowRight: () => {
        if (steps !== undefined) this.unfold(steps);
        else if (isParent && isCollapsed) this.redraw(() => this.toggle(span, false));
        else if (isParent) this.moveTo(at + 1);
      },
      ArrowLeft: () => {
        if (isParent && !isCollapsed) this.redraw(() => this.toggle(span, true));
        else this.moveTo(parentRow());
      },
      Enter: () => (steps === undefined ? this.open() : this.unfold(steps)),
      ' ': () => (steps === undefined ? this.select(span) : this.unfold(steps)),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  }

  private redraw(change: () => void): void {
    change();
    this.draw();
    this.focus();
  }

  private moveTo(index: number): void {
    const row = this.rows[index];
    if (row === undefined) return;
    if (row.steps === undefined) this.select(row.span);
    const line = row.steps === undefined ? this.rowOfSelected()?.line : row.line;
    line?.focus();
  }
}

function labelOf({ kind, name, duration, isFault, isCritical, error }: PageSpan): string {
  const words = [
    `${kind} ${name}`,
    duration === undefined ? 'has no end' : durationText(duration),
    isCritical ? 'on the critical path' : '',
    error === undefined ? '' : `${isFault ? 'failed' : 'failed, which was no fault'}: ${error}`,
  ];
  return words.filter(Boolean).join(', ');
}

function lengthOf(steps: readonly PageSpan[]): number {
  const [first, last] = [steps[0], steps.at(-1)];
  return first && last ? last.start + (last.duration ?? 0) - first.start : 0;
}

/** From the operation down; empty for the operation itself. */
function parentsOf(top: PageSpan, span: PageSpan): PageSpan[] {
  for (const child of top.children ?? []) {
    if (child === span) return [top];
    const below = parentsOf(child, span);
    if (below.length > 0) return [top, ...below];
  }
  return [];
}
