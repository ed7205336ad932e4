import { foldKey } from '../cni/keys.ts';
import { keyPath } from '../cni/problem.ts';
import { type Extent, opening } from './document.ts';
import { keyOfProperty, type Node, propertiesOf } from './json-node.ts';
import type { Schema, Struct } from './key-schema.ts';

/** What Go's decoder would not take, or would leave alone. */
export type KeyFault = {
  /** Of the key or the value it is about, from the object that was looked at. */
  readonly path: string;
  readonly extent: Extent;
} & (
  | { readonly kind: 'unknown'; readonly key: string; readonly known: readonly string[] }
  | { readonly kind: 'miscased'; readonly key: string; readonly spelling: string }
  /** Two spellings of one key, of which the last counts. */
  | { readonly kind: 'repeated'; readonly key: string; readonly earlier: string }
  | { readonly kind: 'wrong-type'; readonly node: Node; readonly schema: Schema }
);

/** Looks at an object and all that is in it. */
export function structFaults(node: Node, { keys }: Struct, path = ''): KeyFault[] {
  const known = Object.keys(keys);
  const spellings = new Map(known.map((name) => [foldKey(name), name]));
  const earlier = new Map<string, string>();
  return propertiesOf(node).flatMap((property): KeyFault[] => {
    const key = keyOfProperty(property);
    const [name, value] = property.children ?? [];
    const spelling = spellings.get(foldKey(key));
    if (name === undefined || value === undefined) return [];
    const at = { path: keyPath(path, key), extent: name };
    if (spelling === undefined) return isRemark(key) ? [] : [{ ...at, kind: 'unknown', key, known }];
    const faults: KeyFault[] = [];
    if (spelling !== key) faults.push({ ...at, kind: 'miscased', key, spelling });
    const before = earlier.get(spelling);
    // One spelling twice is found in any object, whatever its keys mean.
    if (before !== undefined && before !== key)
      faults.push({ ...at, kind: 'repeated', key, earlier: before });
    earlier.set(spelling, key);
    return [...faults, ...valueFaults(value, keys[spelling] as Schema, at.path)];
  });
}

/** JSON has no comments, so that people write them as keys: `_comment`, `//`, `$schema`. */
function isRemark(key: string): boolean {
  return /^[_$#/]/.test(key);
}

function valueFaults(node: Node, schema: Schema, path: string): KeyFault[] {
  if (node.type === 'null') return [];
  const faults = faultsInside(node, schema, path);
  return faults ?? [{ kind: 'wrong-type', path, extent: opening(node), node, schema }];
}

/** Undefined when the value itself is of another type. */
function faultsInside(node: Node, schema: Schema, path: string): KeyFault[] | undefined {
  const children = node.children ?? [];
  switch (schema.kind) {
    case 'anything':
      return [];
    case 'string':
    case 'boolean':
      return node.type === schema.kind ? [] : undefined;
    case 'integer':
    case 'unsigned':
      return isInteger(node, schema.kind === 'unsigned') ? [] : undefined;
    case 'list':
      if (node.type !== 'array') return undefined;
      return children.flatMap((item, index) => valueFaults(item, schema.items, `${path}[${index}]`));
    case 'map':
      if (node.type !== 'object') return undefined;
      return children.flatMap((property) => {
        const value = property.children?.[1];
        return value === undefined
          ? []
          : valueFaults(value, schema.values, keyPath(path, keyOfProperty(property)));
      });
    case 'struct':
      return node.type === 'object' ? structFaults(node, schema, path) : undefined;
    case 'either':
      return schema.schemas.reduce<KeyFault[] | undefined>(
        (found, other) => found ?? faultsInside(node, other, path),
        undefined,
      );
  }
}

/** Go's decoder goes by how it is written: 1500.0 and 1e3 are none. */
function isInteger({ type, value, length }: Node, isUnsigned: boolean): boolean {
  if (type !== 'number' || !Number.isInteger(value)) return false;
  const isWrittenSo = Math.abs(value) > Number.MAX_SAFE_INTEGER || String(value).length === length;
  return isWrittenSo && !(isUnsigned && value < 0);
}
