import { visible } from '../trace/visible-text.ts';
import { type Finding, pageOf, type Severity } from './finding.ts';
import type { Folded } from './fold.ts';

/** Gives a text a style, or leaves it as it is. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan' | 'green', text: string) => string;

const styles = { error: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<Severity, string>;

/** Each root cause whole, and what follows from it in a line below it. */
export function findingsText(folded: readonly Folded[], paint: Paint): string {
  return folded.map((root) => block(root, paint)).join('\n');
}

function block({ finding, consequences }: Folded, paint: Paint): string {
  const { evidence, since, meaning, fix, undo } = finding;
  const lines = [
    headline(finding, paint),
    ...evidence.map(({ source, text }) => field('seen', `${source}: ${text}`, paint)),
    ...(since === undefined ? [] : [field('since', since.toISOString(), paint)]),
    field('means', meaning, paint),
    ...fix.map((line) => field('fix', line, paint)),
    ...undo.map((line) => field('undo', line, paint)),
    field('page', pageOf(finding), paint),
    ...below(consequences, '  ', paint),
  ];
  return `${lines.join('\n')}\n`;
}

function headline({ id, severity, object, cause }: Finding, paint: Paint): string {
  return `${paint('bold', id)} ${paint(styles[severity], severity)} ${visible(object)}: ${visible(cause)}`;
}

function field(name: string, text: string, paint: Paint): string {
  return `  ${paint(name === 'fix' ? 'green' : 'dim', `${name}:`)} ${visible(text)}`;
}

function below(consequences: readonly Folded[], indent: string, paint: Paint): string[] {
  return consequences.flatMap(({ finding, consequences: more }) => [
    `${indent}${paint('dim', 'hence')} ${headline(finding, paint)}`,
    ...below(more, `${indent}  `, paint),
  ]);
}
