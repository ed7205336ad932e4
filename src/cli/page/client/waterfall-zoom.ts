import { durationText } from '../../duration-text.ts';
import type { PageOperation } from '../page-data.ts';
import { clockText, ticksOf, tickText, zoneText } from '../time-axis.ts';
import { element } from './element.ts';

/** Of the whole: deeper makes no sense with times in microseconds. */
const deepest = 0.0002;

/** The part of an operation's time that the waterfall shows, with its axis. */
export class WaterfallZoom {
  readonly axis = element('div', { class: 'axis', title: 'drag to zoom in; double-click to see all' });
  /** A click that ends a drag is none. */
  hasDragged = false;
  private readonly ticks = element('div', { class: 'ticks' });
  private readonly zone = element('span', { class: 'zone' });
  private readonly clock = element('span', { class: 'clock' });
  private readonly choice = element('div', { class: 'choice', hidden: true });
  private operation: PageOperation | undefined;
  private from = 0;
  private to = 1;

  constructor(private readonly changed: () => void) {
    this.axis.append(element('div', { class: 'shown' }, this.clock, this.zone), this.ticks);
  }

  reset(operation = this.operation): void {
    if (operation === undefined) return;
    this.operation = operation;
    this.show(0, this.whole);
  }

  get isZoomed(): boolean {
    return this.to - this.from < this.whole * 0.9999;
  }

  /** Below 1 comes nearer; `at` is what stays where it is, as a part of what is shown. */
  by(factor: number, at = 0.5): void {
    const length = Math.max(this.whole * deepest, Math.min(this.whole, (this.to - this.from) * factor));
    const from = this.from + (this.to - this.from - length) * at;
    this.show(from, from + length);
  }

  /** By a part of what is shown. */
  pan(part: number): void {
    const move = (this.to - this.from) * part;
    this.show(this.from + move, this.to + move);
  }

  place(bar: HTMLElement, start: number, duration: number): void {
    const length = this.to - this.from;
    const left = Math.max(-1, (start - this.from) / length);
    const right = Math.min(2, (start + Math.min(duration, this.whole - start) - this.from) / length);
    bar.style.left = `${(left * 100).toFixed(4)}%`;
    bar.style.width = `${(Math.max(0, right - left) * 100).toFixed(4)}%`;
    bar.hidden = right < 0 || left > 1;
  }

  /** Dragging over the tracks chooses a part, the wheel with Ctrl zooms, with Shift it moves. */
  listenOn(node: HTMLElement): void {
    node.append(this.choice);
    node.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    node.addEventListener('pointerdown', (event) => this.drag(event, node));
    node.addEventListener('dblclick', (event) => {
      if (this.partAt(event) !== undefined) this.reset();
    });
    new ResizeObserver(() => this.drawAxis()).observe(this.ticks);
  }

  private get whole(): number {
    return Math.max(0.001, this.operation?.duration ?? lastEnd(this.operation) ?? 0.001);
  }

  private show(from: number, to: number): void {
    const length = Math.min(this.whole, to - from);
    this.from = Math.max(0, Math.min(this.whole - length, from));
    this.to = this.from + length;
    this.drawAxis();
    this.changed();
  }

  private drawAxis(): void {
    const { begunAt = 0, offset = 0 } = this.operation ?? {};
    const width = this.ticks.clientWidth;
    const ticks = ticksOf(this.from, this.to, Math.max(2, Math.floor(width / 84)));
    const longest = ticks.at(-1) ?? 0;
    this.ticks.replaceChildren(
      ...ticks.map((tick) => {
        const part = ((tick - this.from) / (this.to - this.from)) * 100;
        const mark = element(
          'span',
          { class: (1 - part / 100) * width < 62 ? 'tick last' : 'tick' },
          tickText(tick, longest),
        );
        mark.style.left = `${part.toFixed(4)}%`;
        return mark;
      }),
    );
    const [from, to] = [this.from, this.to].map((time) => clockText(begunAt + time, offset));
    this.clock.textContent = `${from} – ${to}`;
    const length = durationText(this.to - this.from);
    this.zone.textContent = `UTC${zoneText(offset)}, ${this.isZoomed ? `${length} of ${durationText(this.whole)}` : length}`;
  }

  private partAt({ clientX }: MouseEvent): number | undefined {
    const { left, width } = this.ticks.getBoundingClientRect();
    const part = (clientX - left) / width;
    return part >= 0 && part <= 1 ? part : undefined;
  }

  private wheel(event: WheelEvent): void {
    const at = this.partAt(event);
    if (at === undefined || !(event.ctrlKey || event.shiftKey)) return;
    event.preventDefault();
    if (event.ctrlKey) this.by(Math.exp(Math.sign(event.deltaY) * 0.25), at);
    else this.pan(Math.sign(event.deltaY || event.deltaX) * 0.15);
  }

  private drag(event: PointerEvent, node: HTMLElement): void {
    this.hasDragged = false;
    const begin = this.partAt(event);
    if (begin === undefined || event.button !== 0 || event.pointerType === 'touch') return;
    const ticks = this.ticks.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const at = (moved: MouseEvent) => Math.max(0, Math.min(1, (moved.clientX - ticks.left) / ticks.width));
    const move = (moved: PointerEvent) => {
      if (!this.hasDragged && Math.abs(moved.clientX - event.clientX) < 5) return;
      this.hasDragged = true;
      const [from, to] = [begin, at(moved)].sort((one, other) => one - other) as [number, number];
      this.choice.hidden = false;
      this.choice.style.left = `${ticks.left - box.left + from * ticks.width}px`;
      this.choice.style.width = `${(to - from) * ticks.width}px`;
    };
    const end = (ended: PointerEvent) => {
      document.removeEventListener('pointermove', move);
      document.removeEventListener('pointerup', end);
      document.removeEventListener('pointercancel', end);
      this.choice.hidden = true;
      if (!this.hasDragged || ended.type === 'pointercancel') return;
      const [from, to] = [begin, at(ended)].sort((one, other) => one - other) as [number, number];
      const length = this.to - this.from;
      if ((to - from) * length >= this.whole * deepest)
        this.show(this.from + from * length, this.from + to * length);
    };
    document.addEventListener('pointermove', move);
    document.addEventListener('pointerup', end);
    document.addEventListener('pointercancel', end);
  }
}

function lastEnd(operation: PageOperation | undefined): number | undefined {
  const ends = (operation?.children ?? []).map(({ start, duration = 0 }) => start + duration);
  return ends.length === 0 ? undefined : Math.max(...ends);
}
