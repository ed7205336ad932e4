import { type Node, parseTree } from 'jsonc-parser/lib/esm/main.js';
import { isObject, type JsonObject, JsonSyntaxError, parseJson } from '../cni/json.ts';
import { foldKey } from '../cni/keys.ts';
import { type JsonDefect, notAnObject, syntaxDefect } from './json-defect.ts';
import { keyOfProperty, type ObjectNode, propertiesOf } from './json-node.ts';

/** A part of a text: `offset` and `length` in UTF-16 code units. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** What of a member of an object is meant: its name or its value. */
export type Side = 'key' | 'value';

/** A JSON object that knows where each of its values was written. */
export class LintDocument {
  private constructor(
    readonly value: JsonObject,
    /** As the text has it: also those of equal keys that are lost in `value`. */
    readonly root: ObjectNode,
  ) {}

  /** Strict JSON, as Go reads it: no comments, no trailing commas, no byte order mark. Throws nothing. */
  static read(text: string): LintDocument | JsonDefect {
    try {
      const value = parseJson(text);
      if (!isObject(value)) return notAnObject(text);
      // Only now: the other parser has no limit to how deep it goes.
      return new LintDocument(value, parseTree(text) as ObjectNode);
    } catch (error) {
      if (error instanceof JsonSyntaxError) return syntaxDefect(text, error);
      throw error;
    }
  }

  /**
   * Where the value at a path such as `plugins[1].ipam.ranges[0][0].subnet` stands, with keys in any spelling. Of a path
   * that is not there it is the innermost that is: what lacks it.
   */
  extent(path: string, side: Side = 'value'): Extent {
    const { node, key, isWhole } = this.#walk(path);
    if (!isWhole || node === this.root) return opening(node);
    return side === 'key' && key !== undefined ? key : node;
  }

  /** The value at such a path; undefined when there is none. */
  node(path: string): Node | undefined {
    const { node, isWhole } = this.#walk(path);
    return isWhole ? node : undefined;
  }

  /** As far as the path goes. */
  #walk(path: string): { node: Node; key: Node | undefined; isWhole: boolean } {
    let node: Node = this.root;
    let key: Node | undefined;
    for (let rest = path; rest !== ''; ) {
      const step: Step | undefined = node.type === 'array' ? element(node, rest) : member(node, rest);
      if (step === undefined) return { node, key, isWhole: false };
      [node, key, rest] = [step.value, step.key, step.rest];
    }
    return { node, key, isWhole: true };
  }
}

interface Step {
  readonly key: Node | undefined;
  readonly value: Node;
  readonly rest: string;
}

/** An index in brackets. */
function element(array: Node, path: string): Step | undefined {
  const [text, index] = /^\[(\d+)\]\.?/.exec(path) ?? [];
  const value = text === undefined ? undefined : array.children?.[Number(index)];
  return value && { key: undefined, value, rest: path.slice(text?.length) };
}

/** The longest key that the path begins with, since keys may have dots; of equal ones the last, which Go keeps. */
function member(object: Node, path: string): Step | undefined {
  let found: Step | undefined;
  let longest = 0;
  for (const property of propertiesOf(object)) {
    const key = keyOfProperty(property);
    const rest = path.slice(key.length);
    const isNamed = foldKey(path.slice(0, key.length)) === foldKey(key) && /^($|[.[])/.test(rest);
    const [name, value] = property.children ?? [];
    if (!isNamed || value === undefined || key.length < longest) continue;
    longest = key.length;
    found = { key: name, value, rest: rest.replace(/^\./, '') };
  }
  return found;
}

/** The bracket that opens it: the whole of it would be too much to look at. */
export function opening({ type, offset, length }: Node): Extent {
  return { offset, length: type === 'object' || type === 'array' ? 1 : length };
}
