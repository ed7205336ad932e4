import { isObject, type Json } from '../../cni/json.ts';
import type { Operation } from '../../trace/life.ts';
import type { LifeSpan } from '../../trace/life-span.ts';
import { visible } from '../../trace/visible-text.ts';
import { reasonOf } from '../waterfall-rows.ts';
import { resultsOfCall, resultsOfDelegate } from './delegate-results.ts';
import type { ChainNode, ChangeLine } from './page-data.ts';
import { resultChanges } from './result-changes.ts';

/** What a record's `changes` say, a sentence for each plugin: `portmap: + tcp 8080 -> 10.22.0.5:80`. */
export type SentencesOf = (document: LifeSpan['record']) => readonly string[];

/** The plugins of an operation as a graph: those that were recorded, what ran inside of them, and those that were not. */
export function chainNodes(operation: Operation, sentencesOf: SentencesOf): ChainNode[] {
  return [
    ...operation.before.map(unrecorded),
    ...operation.children.flatMap((span) =>
      span.kind === 'gap' ? namesIn(span).map(unrecorded) : [callNode(span, sentencesOf)],
    ),
    ...operation.behind.map(unrecorded),
  ];
}

function unrecorded(name: string): ChainNode {
  return { name: visible(name), state: 'unrecorded', result: [], changes: [], inside: [] };
}

/** A gap is called after the runtime, and the plugins that ran in it. */
function namesIn({ name }: LifeSpan): string[] {
  const [first, ...others] = name.split(', ');
  return first === 'runtime' ? others.filter((other) => other !== 'unrecorded plugins') : [];
}

function callNode(span: LifeSpan, sentencesOf: SentencesOf): ChainNode {
  const sentences = sentencesOf(span.record);
  const inside = span.children
    .filter(({ kind }) => kind === 'plugin')
    .map((plugin) => pluginNode(plugin, span, sentences));
  const document = span.record?.document;
  const types = new Set(inside.map(({ name }) => name));
  const own = sentences.filter((sentence) => !types.has(pluginOf(sentence)));
  return {
    ...nodeOf(span, inside),
    // Delegates say it themselves.
    result: document && inside.length === 0 ? resultChanges(resultsOfCall(document)) : [],
    changes: own.length > 0 ? own.map(asLine) : stepLines(span),
  };
}

function pluginNode(span: LifeSpan, { record }: LifeSpan, sentences: readonly string[]): ChainNode {
  const delegates = record?.document.delegates;
  const index = indexOf(delegates, span.account);
  const own = sentences.filter((sentence) => pluginOf(sentence) === span.name);
  return {
    ...nodeOf(span, []),
    result: record && index >= 0 ? resultChanges(resultsOfDelegate(record.document, index)) : [],
    changes: own.length > 0 ? own.flatMap((sentence) => itemLines(sentence, span.name)) : stepLines(span),
  };
}

/** Where an entry of the record stands in its list; -1 for none. */
export function indexOf(list: Json | undefined, entry: Json | undefined): number {
  return Array.isArray(list) && isObject(entry) ? list.indexOf(entry) : -1;
}

function nodeOf(span: LifeSpan, inside: readonly ChainNode[]) {
  const { id, name, error, isTolerated, isOpen, duration } = span;
  const hasFailed = error !== undefined && !isTolerated;
  return {
    ...{ span: id, name: visible(name), inside },
    state: hasFailed ? ('failed' as const) : isOpen ? ('open' as const) : ('good' as const),
    ...(isOpen ? {} : { duration }),
    ...(hasFailed ? { error: visible(reasonOf(span) ?? error) } : {}),
  };
}

/** Also `portmap in the container: ...`. */
function pluginOf(sentence: string): string {
  return sentence.slice(0, sentence.indexOf(':')).replace(/ in the container$/, '');
}

function asLine(sentence: string): ChangeLine {
  return { sign: '', text: visible(sentence) };
}

/** The plugin's name stands above them. */
function itemLines(sentence: string, plugin: string): ChangeLine[] {
  const place = sentence.startsWith(`${plugin} in the container: `) ? ' (container)' : '';
  const items = sentence.slice(sentence.indexOf(': ') + 2).split('; ');
  return items.map((item) => {
    const [, sign, text] = /^([+-]) (.*)$/s.exec(item) ?? [];
    const line = visible(`${text ?? item}${place}`);
    return { sign: sign === '+' || sign === '-' ? sign : isChange(item) ? '~' : '', text: line };
  });
}

/** `sysctl x 0 -> 1`, and not `map m: + tcp 80 -> 10.22.0.5:80` */
function isChange(item: string): boolean {
  return item.includes(' -> ') && !/: [+-] /.test(item);
}

/** Where nobody has looked, what it asked the kernel for, unless that was only to tell something. */
function stepLines(span: LifeSpan): ChangeLine[] {
  return span.children.flatMap(({ kind, name, error }) => {
    if (kind !== 'kernel' || error !== undefined || /^(?:[\w.-]+: )?(get|list|dump|find|look) /.test(name))
      return [];
    const sign = /^(create|add) /.test(name) ? '+' : /^(delete|remove|flush) /.test(name) ? '-' : '~';
    return [{ sign, text: visible(name) }];
  });
}
