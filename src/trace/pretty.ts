import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { addressesOf } from '../cni/result.ts';
import { changeSentences } from './change-sentences.ts';
import { clockText } from './clock-text.ts';
import { isRunning } from './living-process.ts';
import { mendLines } from './stored-mend.ts';
import { objectsIn, type StoredRecord } from './stored-record.ts';
import { visible } from './visible-text.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface PrettyOptions {
  /** Gives a text a style, or not. */
  readonly paint: (style: Style, text: string) => string;
  /** Where in its chain the plugin is that made a record, where that is known: `2/3`. */
  readonly place?: (record: StoredRecord) => string | undefined;
  readonly utc?: boolean | undefined;
  /** Whether what a call did is shown below it. */
  readonly steps?: boolean | undefined;
}

/**
 * A call as a person reads it, in lines: when, where in the chain, which plugin, command, pod or container, interface,
 * network, how long, and what came of it; indented below, its delegates and all that was wrong. Nothing in it controls
 * a terminal but the styles. A record of kind `begin` is one of a call whose end nobody has recorded.
 */
export function prettyLines(record: StoredRecord, options: PrettyOptions): string[] {
  const { paint, steps = false } = options;
  if (record.kind === 'mend') return [headline(record, options), ...mendedLines(record, options)];
  const below = [
    ...unendedLines(record),
    ...objectsIn(record, 'delegates').map((delegate) => delegateLine(record, delegate, options)),
    ...(steps ? objectsIn(record, 'steps').map(stepLine) : []),
    ...objectsIn(record, 'hooks').flatMap((hook) => hookLine(hook, options)),
    ...changeSentences(record.document).map((sentence) => `changed ${visible(sentence)}`),
    ...objectsIn(record, 'findings').map(({ message }) => paint('yellow', `finding: ${shown(message)}`)),
    ...(record.error?.details ? [visible(record.error.details)] : []),
  ];
  return [headline(record, options), ...below.map((line) => `    ${line}`)];
}

/** The same as one text, as it is where lines may be as long as they like. */
export function prettyRecord(record: StoredRecord, options: PrettyOptions): string {
  return `${prettyLines(record, options).join('\n')}\n`;
}

function mendedLines(record: StoredRecord, { paint }: PrettyOptions): string[] {
  const { done, left } = mendLines(record);
  return [
    ...done.map((line) => `    ${visible(line)}`),
    ...left.map((line) => `    ${paint('yellow', `left: ${visible(line)}`)}`),
  ];
}

function headline(record: StoredRecord, { paint, place, utc = false }: PrettyOptions): string {
  const { startedAt, plugin, command, duration } = record;
  const styled = (style: Style, text: string) => (text === '' ? '' : paint(style, text));
  return [
    styled('dim', clockText(startedAt, utc)),
    styled('dim', place?.(record) ?? ''),
    visible(plugin),
    styled('bold', visible(command)),
    ...aboutWords(record).map((word, index) => (index === 0 ? styled('cyan', word) : word)),
    duration === undefined ? '' : durationText(duration),
    ending(record, paint),
  ]
    .filter((word) => word !== '')
    .join(' ');
}

/** Whose interface in which network; or what `doctor --fix` calls the object of a finding. */
function aboutWords(record: StoredRecord): string[] {
  if (record.kind === 'mend') return [shown(record.document.object)];
  return [whose(record), record.ifName, record.network].map(visible);
}

/** The pod, or as much of the container's ID as people say. */
function whose({ pod, containerID }: StoredRecord): string {
  return pod?.name ? `${pod.namespace}/${pod.name}` : containerID.slice(0, 12);
}

function ending(record: StoredRecord, paint: PrettyOptions['paint']): string {
  const { kind, error, document } = record;
  if (kind === 'begin') return isRunning(record) ? paint('cyan', 'running') : paint('red', 'never ended');
  if (kind === 'mend') return mendEnding(record, paint);
  if (error !== undefined) return paint('red', `error ${error.code}: ${visible(error.msg)}`);
  const addresses = isObject(document.result) ? addressesOf(document.result) : [];
  return paint('green', addresses.length === 0 ? 'done' : visible(addresses.join(', ')));
}

function mendEnding(record: StoredRecord, paint: PrettyOptions['paint']): string {
  const { error } = record;
  if (error !== undefined) return paint('red', `not mended: ${visible(error.msg)}`);
  const { done, left } = mendLines(record);
  if (left.length === 0) return paint('green', `${done.length} done`);
  return paint('yellow', `${done.length} done, ${left.length} left`);
}

function unendedLines(record: StoredRecord): string[] {
  if (record.kind !== 'begin') return [];
  const { pid, parent } = isObject(record.document.process) ? record.document.process : ({} as JsonObject);
  const by = parent === undefined ? '' : `, which ${shown(parent)} had started`;
  return [
    isRunning(record) ? `process ${shown(pid)}${by}` : `process ${shown(pid)}${by}, is gone without a word`,
  ];
}

function delegateLine(record: StoredRecord, delegate: JsonObject, { paint }: PrettyOptions): string {
  const { type, command, duration, failure, stderr } = delegate;
  const place = delegatePlace(record, delegate);
  const words = [
    place === '' ? '' : paint('dim', place),
    ...[shown(type), shown(command)],
    typeof duration === 'number' ? durationText(duration) : '',
  ];
  const line = words.filter((word) => word !== '').join(' ');
  if (typeof failure !== 'string') return line;
  const said =
    typeof stderr === 'string' && stderr.trim() !== '' ? `; stderr: ${visible(stderr.trim())}` : '';
  return `${line} ${paint('red', `${visible(failure)}${said}`)}`;
}

/** Its place in the list of delegates; nothing where it is the only one, or another has the same type. */
function delegatePlace({ document }: StoredRecord, { type }: JsonObject): string {
  const { configuration } = document;
  const list: Json | undefined = isObject(configuration) ? lookUp(configuration, 'delegate') : undefined;
  if (!Array.isArray(list)) return '';
  const places = list.flatMap((one, index) =>
    isObject(one) && lookUp(one, 'type') === type ? [index + 1] : [],
  );
  return places.length === 1 ? `${places[0]}/${list.length}` : '';
}

function hookLine({ argv, failure }: JsonObject, { paint }: PrettyOptions): string[] {
  if (typeof failure !== 'string') return [];
  const words = Array.isArray(argv) ? argv.map(shown).join(' ') : '';
  return [paint('red', `hook ${words}: ${visible(failure)}`)];
}

function stepLine({ name, duration, error }: JsonObject): string {
  const failed =
    typeof error === 'string' ? `: ${visible(reason(typeof name === 'string' ? name : '', error))}` : '';
  return `${Number(duration).toFixed(1).padStart(8)} ms  ${shown(name)}${failed}`;
}

/** An error of the kernel begins with the operation, which is what the step of a built-in plugin is called. */
function reason(name: string, error: string): string {
  const operation = `${name.replace(/^[^ ]+: /, '')}: `;
  return error.startsWith(operation) ? error.slice(operation.length) : error;
}

function durationText(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function shown(value: Json | undefined): string {
  // Not `String`, which calls what an object has under the name of toString.
  return value === undefined ? '' : visible(typeof value === 'string' ? value : JSON.stringify(value));
}
