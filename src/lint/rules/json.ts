import { keyPath } from '../../cni/problem.ts';
import type { Draft } from '../finding.ts';
import { keyOfProperty, type Node, propertiesOf } from '../json-node.ts';
import { keyFaultsOf } from '../key-faults.ts';
import type { Rule } from '../rule.ts';

export const invalidJson: Rule = {
  id: 'L001',
  name: 'invalid-json',
  severity: 'error',
  summary: 'The file is no JSON object, and no runtime can load it.',
  *check({ files }) {
    for (const file of files) if (file.defect !== undefined) yield { file, ...file.defect };
  },
};

export const duplicateKey: Rule = {
  id: 'L002',
  name: 'duplicate-key',
  severity: 'error',
  summary: 'An object has a key twice, and only the last value counts.',
  *check({ files }) {
    for (const file of files) {
      if (file.document === undefined) continue;
      for (const { path, key, node } of repeated(file.document.root, ''))
        yield { file, path, extent: node, ...twice(key, `"${key}" stands here a second time`) };
      for (const fault of keyFaultsOf(file)) {
        if (fault.kind !== 'repeated') continue;
        const { path, extent, key, earlier } = fault;
        yield { file, path, extent, ...twice(key, `"${key}" and "${earlier}" are one key to a plugin`) };
      }
    }
  },
};

function twice(key: string, what: string): Pick<Draft, 'message' | 'fix'> {
  return {
    message: `${what}, and only the last value counts`,
    fix: `remove one of the two, or rename ${JSON.stringify(key)}`,
  };
}

interface Repeated {
  readonly path: string;
  readonly key: string;
  readonly node: Node;
}

/** The second of two equal keys, and each after that. */
function* repeated(node: Node, path: string): Generator<Repeated> {
  const known = new Set<string>();
  for (const property of propertiesOf(node)) {
    const key = keyOfProperty(property);
    const [name, value] = property.children ?? [];
    const inner = keyPath(path, key);
    if (known.has(key) && name !== undefined) yield { path: inner, key, node: name };
    known.add(key);
    if (value !== undefined) yield* repeated(value, inner);
  }
  if (node.type !== 'array') return;
  for (const [index, item] of (node.children ?? []).entries()) yield* repeated(item, `${path}[${index}]`);
}
