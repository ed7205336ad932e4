import type { LintContext } from './context.ts';
import { type Draft, type Finding, pageOf } from './finding.ts';
import type { Place } from './place.ts';
import { placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { rules } from './rules.ts';

/** What all rules find, file by file in the order of the text. */
export function lint(context: LintContext): Finding[] {
  const drafts = rules.flatMap((rule) => [...rule.check(context)].map((draft) => ({ rule, draft })));
  const covered = new Set(
    drafts.flatMap(({ draft }) => (draft.covers ?? []).map((path) => keyOf(draft, path))),
  );
  const order = new Map(context.files.map(({ path }, index) => [path, index]));
  return drafts
    .filter(({ rule, draft }) => rule.name !== 'wrong-value' || !covered.has(keyOf(draft, draft.path ?? '')))
    .map(({ rule, draft }) => findingOf(rule, draft))
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

function findingOf({ id, name, severity }: Rule, draft: Draft): Finding {
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
