import type { Node } from 'jsonc-parser/lib/esm/main.js';

export type { Node };

/** An object, whose children are its properties. */
export type ObjectNode = Node & { readonly type: 'object' };

/** What is in an object, in the order of the text; nothing of anything else. */
export function propertiesOf(node: Node): readonly Node[] {
  return node.type === 'object' ? (node.children ?? []) : [];
}

/** The name of a property, without its escapes. */
export function keyOfProperty(property: Node): string {
  return String(property.children?.[0]?.value ?? '');
}

/** Every node of a tree, each before those in it. */
export function* everyNode(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children ?? []) yield* everyNode(child);
}
