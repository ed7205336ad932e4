import type { LintContext } from './context.ts';
import { type Draft, type Finding, pageOf } from './finding.ts';
import { type Place, placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { rules } from './rules.ts';

/** A draft and the rule that it is of. */
interface Ruled {
  readonly rule: Rule;
  readonly draft: Draft;
}

/** As many of one rule in one file as a person reads. */
const mostOfOneRule = 20;

/** What all rules find, file by file in the order of the text. */
export function lint(context: LintContext): Finding[] {
  const drafts = rules.flatMap((rule) => [...rule.check(context)].map((draft) => ({ rule, draft })));
  const covered = new Set(
    drafts.flatMap(({ draft }) => (draft.covers ?? []).map((path) => keyOf(draft, path))),
  );
  const order = new Map(context.files.map(({ path }, index) => [path, index]));
  const told = drafts.filter(
    ({ rule, draft }) => rule.name !== 'wrong-value' || !covered.has(keyOf(draft, draft.path ?? '')),
  );
  return firstOfEach(told)
    .map(findingOf)
    .sort((one, other) => {
      // Those of the directory, and of what is not loaded, come last.
      const [file, otherFile] = [one, other].map(({ file }) => order.get(file) ?? order.size);
      return (
        (file ?? 0) - (otherFile ?? 0) ||
        compare(one.file, other.file) ||
        offsetOf(one.place) - offsetOf(other.place) ||
        compare(one.id, other.id)
      );
    });
}

/** Of very many the last one says how many more there are. */
function firstOfEach(drafts: readonly Ruled[]): Ruled[] {
  const groups = new Map<string, Ruled[]>();
  for (const ruled of drafts) {
    const key = keyOf(ruled.draft, ruled.rule.id);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [ruled]);
    else group.push(ruled);
  }
  return [...groups.values()].flatMap((group) => {
    const next = group[mostOfOneRule];
    if (next === undefined) return group;
    const message = `and ${group.length - mostOfOneRule} more of this kind in this file, of which this is the first`;
    return [...group.slice(0, mostOfOneRule), { ...next, draft: { ...next.draft, message } }];
  });
}

function findingOf({ rule: { id, name, severity }, draft }: Ruled): Finding {
  const { file, path = '', message, fix } = draft;
  const place = placeIn(draft);
  return {
    ...{ id, rule: name, severity, path, message, fix },
    file: typeof file === 'string' ? file : file.path,
    page: pageOf({ id }),
    ...(place === undefined ? {} : { place }),
  };
}

function placeIn({ file, path, side, extent }: Draft): Place | undefined {
  if (typeof file === 'string') return undefined;
  const found = extent ?? (path === undefined ? undefined : file.document?.extent(path, side));
  return found && placeOf(file.text, found);
}

/** Of a file and a path in it, one text. */
function keyOf({ file }: Draft, path: string): string {
  return `${typeof file === 'string' ? file : file.path}\n${path}`;
}

function offsetOf(place: Place | undefined): number {
  return place === undefined ? 0 : place.line * 2 ** 20 + place.column;
}

/** As Go sorts names: by code unit, whatever the language. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
