import type { Node } from 'jsonc-parser/lib/esm/main.js';

/** The white space of one object of a document, so that another one can be written as whoever wrote that would. */
export interface ObjectLayout {
  /** Between `{` and the first key. */
  readonly open: string;
  /** Behind the comma of a member. */
  readonly between: string;
  /** From the end of a key to its value. */
  readonly colon: string;
  /** Between the last value and `}`. */
  readonly close: string;
}

/** Of an object that has a member. */
export function layoutOf(text: string, object: Node): ObjectLayout {
  const members = object.children ?? [];
  const [first, second] = members;
  const last = members.at(-1);
  if (first === undefined || last === undefined) throw new Error('an object without members has no layout');
  const open = text.slice(object.offset + 1, first.offset);
  const [key, value] = first.children ?? [];
  const colon = key === undefined || value === undefined ? ': ' : text.slice(endOf(key), value.offset);
  const between = second === undefined ? undefined : spaceBehindComma(text, first, second);
  const lone = open.includes('\n') ? open : spaceAround(colon);
  return { open, between: between ?? lone, colon, close: text.slice(endOf(last), endOf(object) - 1) };
}

/** The text of an object with these members; their values are texts already. */
export function writeObject(layout: ObjectLayout, members: readonly (readonly [string, string])[]): string {
  const written = members.map(([key, value]) => JSON.stringify(key) + layout.colon + value);
  return `{${layout.open}${written.join(`,${layout.between}`)}${layout.close}}`;
}

/** A value's text as it stands one level deeper. No string of JSON has a line's end in it. */
export function deeper(value: string, { open, close }: ObjectLayout): string {
  const [inner, outer] = [open, close].map(indentation);
  if (inner === undefined) return value;
  const unit = outer !== undefined && inner.startsWith(outer) ? inner.slice(outer.length) : inner;
  return value.replaceAll('\n', `\n${unit}`);
}

/** What stands behind the comma between two elements of an array, for one more at `index`, which is not 0. */
export function separatorAt(text: string, array: Node, index: number): string {
  const elements = array.children ?? [];
  const after = Math.max(1, Math.min(index, elements.length - 1));
  const [one, other] = [elements[after - 1], elements[after]];
  if (one === undefined) throw new Error('an array without elements has no separator');
  if (other !== undefined) return spaceBehindComma(text, one, other);
  const before = text.slice(array.offset + 1, one.offset);
  return before.includes('\n') ? before : spaceAround(layoutOf(text, one).colon);
}

export function endOf(node: Node): number {
  return node.offset + node.length;
}

function spaceBehindComma(text: string, one: Node, other: Node): string {
  const between = text.slice(endOf(one), other.offset);
  return between.slice(between.indexOf(',') + 1);
}

/** Whoever writes one behind a colon does so behind a comma. */
function spaceAround(colon: string): string {
  return colon === ':' ? '' : ' ';
}

/** Undefined when no line begins in it. */
function indentation(space: string): string | undefined {
  const newline = space.lastIndexOf('\n');
  return newline < 0 ? undefined : space.slice(newline + 1);
}
