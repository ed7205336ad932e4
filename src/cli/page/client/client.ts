import type { PageData } from '../page-data.ts';
import { chainView } from './chain-view.ts';
import { DetailView } from './detail-view.ts';
import { element, there } from './element.ts';
import { noFilter, pluginsOf } from './filter.ts';
import { listenForKeys } from './keys.ts';
import { legend } from './legend.ts';
import { noticeList } from './notice-list.ts';
import { operationHead } from './operation-head-view.ts';
import { OperationList } from './operation-list.ts';
import { PageIndex, type Place } from './page-index.ts';
import { Records } from './records.ts';
import { Toolbar } from './toolbar.ts';
import { WaterfallView } from './waterfall-view.ts';

const data = JSON.parse(there('data').textContent ?? '') as PageData;
const index = new PageIndex(data);
const records = new Records();
const select = (id: string) => show(index.get(id) ?? current);
const operations = new OperationList(data, index, (operation) =>
  select(
    operation.children?.find(({ isFault }) => isFault)?.id ?? operation.children?.[0]?.id ?? operation.id,
  ),
);
const waterfall = new WaterfallView(({ id }) => select(id), openDetail);
const detail = new DetailView(records, (id) => {
  select(id);
  waterfall.focus();
});
const toolbar = new Toolbar(pluginsOf(index.operations), {
  zoom: waterfall.zoom,
  save: () => records.save(),
  filter: (filter) => {
    operations.show(current.operation, filter);
    waterfall.show(current.operation, current.span, filter);
  },
});
const head = element('div', { class: 'head' });
const chain = element('div');

/** Undefined only while the page is made. */
let current = named() ?? (index.get(data.opensOn) as Place);

function show(place: Place, isFirst = false): void {
  const isOther = isFirst || place.operation !== current.operation;
  current = place;
  const filter = isFirst ? noFilter : toolbar.filter;
  if (isOther) {
    head.replaceChildren(...operationHead(place));
    chain.replaceChildren(chainView(place.operation, select));
    operations.show(place.operation, filter);
  }
  waterfall.show(place.operation, place.span, filter);
  detail.show(place);
  for (const node of chain.querySelectorAll('[data-node]'))
    node.classList.toggle('selected', node.getAttribute('data-node') === place.span.id);
  // The page as it opened has the address that it was opened with.
  if (!isFirst) history.replaceState(null, '', `#span=${encodeURIComponent(place.span.id)}`);
}

/** The span that the address names. */
function named(): Place | undefined {
  const [, id = ''] = /^#span=(.+)$/.exec(location.hash) ?? [];
  try {
    return index.get(decodeURIComponent(id));
  } catch {
    return undefined;
  }
}

function openDetail(): void {
  detail.node.focus();
  detail.node.scrollIntoView({ block: 'nearest' });
}

const app = there('app');
app.append(
  noticeList(data.notices, (id) => {
    select(id);
    waterfall.focus();
  }),
  toolbar.node,
  element(
    'div',
    { class: 'panes' },
    operations.node,
    element('main', {}, head, chain, waterfall.node, ...legend()),
    detail.node,
  ),
);
app.hidden = false;
show(current, true);
addEventListener('hashchange', () => show(named() ?? current));
listenForKeys({ toolbar, waterfall, index, select, place: () => current });
