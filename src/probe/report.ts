import { fold } from '../findings/fold.ts';
import { findingsJson } from '../findings/json-report.ts';
import type { Paint } from '../findings/text-report.ts';
import { findingsText } from '../findings/text-report.ts';
import { visible } from '../trace/visible-text.ts';
import type { ProbeRun, Step } from './probe-run.ts';

/** A line for each step, then what was found, with its proof. */
export function probeText({ subject, steps, findings }: ProbeRun, paint: Paint): string {
  const lines = steps.map((step) => stepLine(step, paint));
  const found = findings.length === 0 ? '' : `\n${findingsText(fold(findings), paint)}`;
  return `${paint('bold', visible(`${subject.name} (${subject.netns})`))}\n${lines.join('\n')}\n${found}`;
}

/** The same for a program. */
export function probeJson({ subject: { name, netns }, steps, findings }: ProbeRun): object {
  const unseen = steps
    .filter(({ outcome }) => outcome === 'not looked at')
    .map(({ what, text }) => `${what}: ${text}`);
  return { container: name, netns, steps, findings: findingsJson(fold(findings)), unseen };
}

const STYLES = { ok: 'green', failed: 'red', 'not tried': 'dim', 'not looked at': 'yellow' } as const;

function stepLine({ outcome, what, text, finding }: Step, paint: Paint): string {
  const said = finding === undefined ? text : `${finding}: ${text}`;
  return `${paint(STYLES[outcome], outcome.padEnd(6))} ${visible(`${what}${outcome === 'ok' ? ' ' : ': '}${said}`)}`;
}
