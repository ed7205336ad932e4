import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { recordVersion } from './record.ts';

/**
 * A record as it was found in a journal; see `record.ts` for what is written. What is not as it should be is absent. What
 * `doctor --fix` did is only found by who asks for it: see `stored-mend.ts`.
 */
export interface StoredRecord {
  readonly kind: 'begin' | 'call' | 'mend';
  /** 16 hex digits; begin and end of a call have the same. */
  readonly id: string;
  readonly level: string;
  /** One line for a person. */
  readonly msg: string;
  /** When the call began. */
  readonly startedAt: Date;
  /** ms; absent in a record of kind `begin`. */
  readonly duration: number | undefined;
  readonly plugin: string;
  readonly command: string;
  readonly network: string;
  readonly containerID: string;
  readonly ifName: string;
  readonly netns: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined;
  readonly error: { readonly code: number; readonly msg: string; readonly details: string } | undefined;
  /** Its place in a trace; absent in records of old. */
  readonly trace: StoredTrace | undefined;
  /** All of it, as it stands in the journal. */
  readonly document: JsonObject;
}

export interface StoredTrace {
  readonly traceID: string;
  /** The span that the call is a part of, where the runtime named one. */
  readonly parentID: string | undefined;
}

/**
 * What a record says. Undefined for what is none: an object of something else, or of a version that we do not know.
 */
export function storedRecord(document: Json | undefined): StoredRecord | undefined {
  if (!isObject(document) || document.v !== recordVersion) return undefined;
  const { kind, duration, error } = document;
  const startedAt = new Date(textOf(document.startedAt));
  if ((kind !== 'begin' && kind !== 'call') || Number.isNaN(startedAt.getTime())) return undefined;
  const attachment = objectOf(document.attachment);
  return {
    ...{ kind, startedAt, document },
    id: textOf(document.id),
    level: textOf(document.level),
    msg: textOf(document.msg),
    duration: typeof duration === 'number' ? duration : undefined,
    plugin: textOf(document.plugin),
    command: textOf(document.command),
    network: textOf(document.network),
    containerID: textOf(attachment.containerID),
    ifName: textOf(attachment.ifName),
    netns: textOf(attachment.netns),
    pod: podIn(document),
    error: isObject(error)
      ? { code: Number(error.code), msg: textOf(error.msg), details: textOf(error.details) }
      : undefined,
    trace: traceIn(document),
  };
}

/** The objects in a list of the record, such as `steps`, `findings`, `delegates`. */
export function objectsIn({ document }: StoredRecord, name: string): JsonObject[] {
  const list = document[name];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function podIn({ pod }: JsonObject): StoredRecord['pod'] {
  if (!isObject(pod)) return undefined;
  return { namespace: textOf(pod.namespace), name: textOf(pod.name), uid: textOf(pod.uid) };
}

function traceIn({ trace }: JsonObject): StoredTrace | undefined {
  if (!isObject(trace) || typeof trace.traceID !== 'string') return undefined;
  const { traceID, parentID } = trace;
  return { traceID, parentID: typeof parentID === 'string' ? parentID : undefined };
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : ({} as JsonObject);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
