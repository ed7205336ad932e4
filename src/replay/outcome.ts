import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { addressesOf } from '../cni/result.ts';
import { objectsIn, type StoredRecord } from '../trace/stored-record.ts';

/** What came of a call, then or now. */
export interface CallOutcome {
  readonly result: JsonObject | undefined;
  readonly error: { readonly code: number; readonly msg: string; readonly details: string } | undefined;
  /** ms, as the plugin's own record has it, else as its caller sees it; undefined where it never ended. */
  readonly duration: number | undefined;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly name: string;
  /** ms */
  readonly duration: number;
}

/** What a record says. */
export function outcomeIn(record: StoredRecord): CallOutcome {
  const { document, error, duration } = record;
  const { result } = document;
  return { result: isObject(result) ? result : undefined, error, duration, steps: stepsIn(record) };
}

/** `10.22.0.5/16`, `done`, `error 11: ...`, `never ended`. */
export function outcomeText({ result, error, duration }: CallOutcome): string {
  if (error !== undefined) return `error ${error.code}: ${error.msg}`;
  if (duration === undefined) return 'never ended';
  const addresses = addressesOf(result);
  return addresses.length === 0 ? 'done' : addresses.join(', ');
}

/**
 * What may be compared: what is drawn by chance, or is about the place of a call, becomes a word. `names` are texts with
 * the words that take their place.
 */
export function normalised(value: Json | undefined, names: ReadonlyMap<string, string>): Json | undefined {
  if (typeof value === 'string') return normalisedText(value, names);
  if (Array.isArray(value)) return value.map((item) => normalised(item, names) as Json);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, normalised(member, names)]);
  return Object.fromEntries(members);
}

export function normalisedText(text: string, names: ReadonlyMap<string, string>): string {
  let plain = text;
  for (const [name, word] of names) if (name !== '') plain = plain.replaceAll(name, word);
  return plain
    .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, '<mac>')
    .replace(/\bveth[0-9a-f]{8,11}\b/g, '<veth>')
    .replace(/\b[0-9a-f]{16}\b/g, '<record>');
}

function stepsIn(record: StoredRecord): Step[] {
  return objectsIn(record, 'steps').flatMap(({ name, duration }) =>
    typeof name === 'string' && typeof duration === 'number' ? [{ name, duration }] : [],
  );
}
