import { lookUp } from '../../cni/keys.ts';
import type { Evidence } from '../../findings/finding.ts';
import { executableUses } from '../../lint/executable-use.ts';
import type { Finding as LintFinding } from '../../lint/finding.ts';
import type { LintedFile } from '../../lint/linted-file.ts';
import { grouped } from '../grouped.ts';
import type { Draft } from '../rule.ts';
import type { Survey } from '../survey.ts';
import type { LintResult } from './lint-result.ts';

/** What `lint` says of executables under some of its IDs: one draft for each plugin type, whatever files name it. */
export function ofPlugins(result: LintResult, ids: readonly string[], survey: Survey): Draft[] {
  const uses = executableUses(result.context);
  const found = of(result, ids, survey).flatMap((finding) => {
    const { file, path } = finding;
    const use = uses.find(({ plugin, path: at }) => plugin.file.path === file && at === path);
    return use === undefined ? [] : [{ finding, type: use.type }];
  });
  return [...grouped(found, ({ type }) => type)].map(([type, group]) =>
    draftOf(
      `plugin ${type}`,
      group.map(({ finding }) => finding),
    ),
  );
}

/** What it says under these, or of these: one draft for each file. */
export function ofFiles(
  result: LintResult,
  isMeant: (finding: LintFinding, file: LintedFile | undefined) => boolean,
  survey: Survey,
): Draft[] {
  const fileAt = (path: string) => result.context.files.find((file) => file.path === path);
  const found = of(result, undefined, survey).filter((finding) => isMeant(finding, fileAt(finding.file)));
  return [...grouped(found, ({ file }) => file)].map(([file, group]) => draftOf(`file ${file}`, group));
}

/** Whether `--network` leaves it in; one that no runtime can load is of nobody knows which network, unless it says a name. */
export function isConcerned(file: LintedFile | undefined, survey: Survey): boolean {
  const named = file?.network?.name ?? (file?.document && lookUp(file.document.value, 'name'));
  return typeof named !== 'string' || survey.concerns(named);
}

function of(
  { context, findings }: LintResult,
  ids: readonly string[] | undefined,
  survey: Survey,
): LintFinding[] {
  return findings.filter(({ id, file: path }) => {
    if (ids !== undefined && !ids.includes(id)) return false;
    return isConcerned(
      context.files.find((one) => one.path === path),
      survey,
    );
  });
}

function draftOf(object: string, findings: readonly LintFinding[]): Draft {
  const [first] = findings as [LintFinding];
  const others = findings.length - 1;
  const evidence = findings.map(evidenceOf);
  return {
    object,
    cause:
      others === 0 || object.startsWith('plugin ') ? first.message : `${first.message}; and ${others} more`,
    evidence,
    fix: [...new Set(findings.map(({ fix }) => fix))],
  };
}

function evidenceOf({ id, rule, file, place, message }: LintFinding): Evidence {
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  return { source: where, text: `${id} ${rule}: ${message}` };
}
