import { isObject, type Json, type JsonObject } from '../../../cni/json.ts';
import { visible } from '../../../trace/visible-text.ts';
import { durationText } from '../../duration-text.ts';
import { clockText, zoneText } from '../time-axis.ts';
import { differenceOf } from '../tree-difference.ts';
import { element } from './element.ts';
import { differenceTree, jsonTree } from './json-tree.ts';
import { type Place, pathTo } from './page-index.ts';
import type { Records } from './records.ts';

/** All that is known of the span that is selected. */
export class DetailView {
  readonly node = element('section', { class: 'detail', tabindex: -1, 'aria-label': 'the selected span' });

  constructor(
    private readonly records: Records,
    private readonly select: (id: string) => void,
  ) {}

  show(place: Place): void {
    const { span } = place;
    const parts = [
      this.path(place),
      element(
        'h3',
        {},
        element('span', { class: `kind ${span.kind}` }, span.kind),
        element('span', {}, span.name),
      ),
      ...messages(place),
      facts(place),
      ...this.documents(place),
    ];
    this.node.replaceChildren(...parts);
    this.node.scrollTop = 0;
  }

  private path(place: Place): HTMLElement {
    const above = pathTo(place).slice(0, -1);
    return element(
      'p',
      { class: 'path' },
      ...above.flatMap(({ span }) => [
        element('button', { type: 'button', click: () => this.select(span.id) }, span.name),
        ' › ',
      ]),
    );
  }

  private documents({ span }: Place): HTMLElement[] {
    const { kind } = span;
    const record = this.records.of(span);
    if (record === undefined) return [];
    if (kind === 'hook') return outputs(this.records.accountOf(span), 'Hook');
    if (kind !== 'call' && kind !== 'plugin') return [];
    const { before, after } = this.records.resultsOf(span);
    const account = this.records.accountOf(span);
    const request = kind === 'call' ? requestOf(record) : account?.stdin;
    return [
      ...difference(before, after),
      ...tree('Request', request, 1),
      ...tree('Result', after, 2),
      ...outputs(account, 'Delegate'),
      ...(kind === 'call' ? tree('Record', record, 0) : []),
    ];
  }
}

function messages({ span }: Place): HTMLElement[] {
  const { error, isFault, isOpen, findings = [], changes = [] } = span;
  return [
    ...(error === undefined
      ? []
      : [
          element(
            'p',
            { class: isFault ? 'message error' : 'message' },
            isFault ? error : `No fault, it went on: ${error}`,
          ),
        ]),
    ...(isOpen
      ? [element('p', { class: 'message error' }, 'It began, and there is no record of its end.')]
      : []),
    ...findings.map((finding) => element('p', { class: 'message finding' }, finding)),
    ...(changes.length === 0
      ? []
      : [
          element('h4', {}, 'What it changed'),
          element('ul', { class: 'sentences' }, ...changes.map((one) => element('li', {}, one))),
        ]),
  ];
}

function facts({ span, operation }: Place): HTMLElement {
  const { id, start, duration, isCritical, kind } = span;
  const whole = operation.duration ?? 0;
  const part = duration === undefined || whole === 0 ? '' : ` (${Math.round((duration / whole) * 100)} %)`;
  const rows: (readonly [string, string])[] = [
    [
      'began',
      `${clockText(operation.begunAt + start, operation.offset)} ${zoneText(operation.offset)}, after ${durationText(start)}`,
    ],
    [
      'took',
      duration === undefined ? 'has no end' : `${durationText(duration)}${kind === 'operation' ? '' : part}`,
    ],
    ...(isCritical ? [['critical', 'the operation was as long because of it'] as const] : []),
    ...(kind === 'call' ? [['record', id] as const] : []),
  ];
  return element(
    'dl',
    {},
    ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    element('dt', {}, 'link'),
    element('dd', {}, element('a', { href: `#span=${encodeURIComponent(id)}` }, `#span=${id}`)),
  );
}

function difference(before: Json | undefined, after: Json | undefined): HTMLElement[] {
  if (before === undefined || after === undefined) return [];
  const found = differenceOf('result', before, after);
  return [
    element('h4', {}, 'From prevResult to result'),
    found.mark === 'same'
      ? element('p', { class: 'quiet' }, 'It handed on what it was given.')
      : element('div', { class: 'tree' }, differenceTree(found, 1)),
  ];
}

function tree(title: string, value: Json | undefined, openLevels: number): HTMLElement[] {
  if (value === undefined) return [];
  return [
    element('h4', {}, title),
    element('div', { class: 'tree' }, jsonTree(title.toLowerCase(), value, openLevels)),
  ];
}

/** What the runtime gave: the fields of the record that are not what came of it. */
function requestOf(record: JsonObject): JsonObject {
  const names = [
    'command',
    'attachment',
    'pod',
    'configuration',
    'prevResult',
    'capabilities',
    'environment',
  ];
  const request: JsonObject = Object.create(null);
  for (const name of names) {
    const value = record[name];
    if (value !== undefined) request[name] = value;
  }
  return request;
}

function outputs(account: JsonObject | undefined, title: string): HTMLElement[] {
  if (!isObject(account)) return [];
  const { stdout, stderr } = account;
  const rest: JsonObject = Object.create(null);
  for (const [name, value] of Object.entries(account))
    if (name !== 'stdout' && name !== 'stderr' && name !== 'stdin') rest[name] = value;
  const texts = Object.entries({ stdout, stderr }).flatMap(([name, text]) =>
    typeof text === 'string' && text !== ''
      ? [
          element('h4', {}, name),
          element('pre', { class: 'output', tabindex: 0 }, text.split('\n').map(visible).join('\n')),
        ]
      : [],
  );
  return [...texts, ...tree(title, rest, 1)];
}
