import { durationText } from '../duration-text.ts';
import { type Html, html } from './html.ts';
import type { Notice, PageLife, PageOperation, PageSpan } from './page-data.ts';
import { clockText, zoneText } from './time-axis.ts';

/** All that the script would draw, for readers without: what failed, then a table of every span of each operation. */
export function plainPage(lives: readonly PageLife[], notices: readonly Notice[]): Html {
  return html`<p>Without scripts this page is a table; nothing is missing in it.</p>
${notices.length === 0 ? [] : [html`<h2>What failed, and what was found</h2><ul>${notices.map(noticeItem)}</ul>`]}
${lives.map(({ title, operations }) => html`<h2>${title}</h2>${operations.map(operationTable)}`)}`;
}

function noticeItem({ kind, span, where, text }: Notice): Html {
  return html`<li class="${kind}"><a href="#row-${span}">${where}</a>: ${text}</li>
`;
}

function operationTable(operation: PageOperation): Html {
  const { name, startText, duration, ending, notes, offset, children = [] } = operation;
  const took = duration === undefined ? '' : `, ${durationText(duration)}`;
  return html`<table><caption>${name} ${startText}${took}: ${ending}${notes.map((note) => html`<br>${note}`)}</caption>
<thead><tr><th scope="col">Began (${zoneText(offset)})</th><th scope="col">After</th><th scope="col">Took</th><th scope="col">Kind</th><th scope="col">What</th><th scope="col">What came of it</th></tr></thead>
<tbody>${children.flatMap((child) => spanRows(child, operation, 0))}</tbody></table>
`;
}

function spanRows(span: PageSpan, operation: PageOperation, depth: number): Html[] {
  const { id, kind, name, start, duration, children = [], isCritical, isFault } = span;
  const began = clockText(operation.begunAt + start, operation.offset);
  const took = duration === undefined ? 'has no end' : durationText(duration);
  const row = html`<tr id="row-${id}" class="${isFault ? 'failed' : kind}"><td>${began}</td><td>${durationText(start)}</td><td>${took}${isCritical ? ' *' : ''}</td><td>${kind}</td><td class="depth-${Math.min(depth, 4)}">${kind === 'call' ? `${name} ${id}` : name}</td><td>${outcomeOf(span)}</td></tr>
`;
  return [row, ...children.flatMap((child) => spanRows(child, operation, depth + 1))];
}

function outcomeOf({ error, isFault, findings = [], changes = [] }: PageSpan): Html {
  const lines = [
    ...(error === undefined ? [] : [isFault ? error : `no fault: ${error}`]),
    ...findings.map((finding) => `finding: ${finding}`),
    ...changes,
  ];
  return html`${lines.map((line) => html`<div>${line}</div>`)}`;
}
