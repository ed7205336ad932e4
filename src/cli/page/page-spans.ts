import type { Life, Operation } from '../../trace/life.ts';
import type { LifeSpan } from '../../trace/life-span.ts';
import type { StoredRecord } from '../../trace/stored-record.ts';
import { visible } from '../../trace/visible-text.ts';
import { endingOf, notesOf, pauseBetween, titleOf } from '../operation-head.ts';
import { timeText } from '../time-text.ts';
import { type Row, reasonOf, rowsOf } from '../waterfall-rows.ts';
import { chainNodes, indexOf, type SentencesOf } from './chain-nodes.ts';
import type { PageLife, PageOperation, PageSpan } from './page-data.ts';

/** What is asked of the outside while a page is made. */
export interface Surroundings {
  /** Of a call whose record has no end. */
  readonly isRunning: (record: StoredRecord) => boolean;
  readonly sentencesOf: SentencesOf;
  /** The line of a record in what the page keeps of the journal. */
  readonly lineOf: (record: StoredRecord) => number | undefined;
}

export function pageLife(life: Life, operations: readonly Operation[], around: Surroundings): PageLife {
  const { network, containerID, ifName, pod } = life;
  const podName = pod && [pod.namespace, pod.name].filter(Boolean).join('/');
  return {
    name: visible(
      containerID === ''
        ? `network ${network}`
        : `${ifName || '(no interface)'} of ${podName || containerID}`,
    ),
    title: titleOf(life),
    operations: operations.map((operation, index) => pageOperation(operation, operations[index - 1], around)),
  };
}

function pageOperation(
  operation: Operation,
  before: Operation | undefined,
  around: Surroundings,
): PageOperation {
  const rows = new Map(rowsOf(operation, true).map((row) => [row.span, row]));
  const { text, isGood } = endingOf(operation, around.isRunning);
  return {
    ...pageSpan(operation, operation, rows, around),
    begunAt: operation.start,
    offset: -new Date(operation.start).getTimezoneOffset(),
    startText: timeText(operation.start),
    ...{ ending: text, isGood, notes: notesOf(operation) },
    ...(before === undefined ? {} : { pause: pauseBetween(before, operation) }),
    chain: chainNodes(operation, around.sentencesOf),
  };
}

function pageSpan(
  span: LifeSpan,
  operation: Operation,
  rows: ReadonlyMap<LifeSpan, Row>,
  around: Surroundings,
): PageSpan {
  const { id, kind, name, duration, error, isTolerated, isOpen, isCritical, record, account } = span;
  const findings = rows.get(span)?.findings ?? [];
  const changes = kind === 'call' ? around.sentencesOf(record) : [];
  const line = record && around.lineOf(record);
  const list = kind === 'hook' ? 'hooks' : 'delegates';
  const index = indexOf(record?.document[list], account);
  return {
    ...{ id: visible(id), kind, name: visible(name), start: rounded(span.start - operation.start) },
    ...(isOpen ? {} : { duration: rounded(duration) }),
    ...(error === undefined ? {} : { error: visible(faultOf(span) ?? error) }),
    ...(error !== undefined && !isTolerated ? { isFault: true } : {}),
    ...(isOpen ? { isOpen } : {}),
    ...(isCritical ? { isCritical } : {}),
    ...(findings.length > 0 ? { findings: findings.map(visible) } : {}),
    ...(changes.length > 0 ? { changes: changes.map(visible) } : {}),
    ...(line === undefined ? {} : { record: line }),
    ...(index >= 0 ? { account: [list, index] } : {}),
    ...(span.children.length > 0
      ? { children: span.children.map((child) => pageSpan(child, operation, rows, around)) }
      : {}),
  };
}

/** Of an operation, that of the call. */
function faultOf(span: LifeSpan): string | undefined {
  const failed = span.kind === 'operation' && span.children.find(({ error }) => error !== undefined);
  return reasonOf(failed || span);
}

/** To the microsecond, as records have it. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
