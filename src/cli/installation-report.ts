import type { Deed, Report } from '../installation/deed.ts';
import { Refusal } from '../installation/refusal.ts';
import { SystemError } from '../kernel/system-error.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { withProgress } from './progress.ts';
import { paintFor, say, sayJson } from './terminal.ts';

export interface Spoken {
  readonly json: boolean;
  readonly dryRun: boolean;
  /** The line that stands for nothing at all. */
  readonly nothing: string;
  /** What to do next, a line each; only when something was done. */
  readonly next: readonly string[];
}

/** Prints what install or uninstall did, or would do. */
export function sayReport(report: Report, { json, dryRun, nothing, next }: Spoken): void {
  for (const warning of report.warnings) process.stderr.write(`cni-debug: ${warning}\n`);
  if (json) {
    sayJson(asJson(report, dryRun));
    return;
  }
  const deeds = report.files.filter(({ action, note }) => action !== 'unchanged' || note !== undefined);
  const isDone = deeds.some(({ action }) => action !== 'unchanged' && action !== 'left');
  if (dryRun && isDone) say('Nothing was written (--dry-run). This would be done:\n');
  for (const deed of deeds) say(`${lineOf(deed)}\n`);
  for (const { difference } of report.conflists) if (difference.length > 0) say(`\n${painted(difference)}`);
  if (!isDone) say(`${nothing}\n`);
  else if (!dryRun && next.length > 0) say(`\n${next.join('\n')}\n`);
}

function lineOf({ action, path, as, target, note }: Deed): string {
  const words = [action, path, ...(as ? ['as', as] : []), ...(target ? ['->', target] : [])];
  return [...words, ...(note ? [`(${note})`] : [])].join(' ');
}

/** Runs it, with its progress; what it throws ends the verb with the status that it deserves. */
export async function orFailure<T>(verb: string, run: () => Promise<T>): Promise<T> {
  try {
    return await withProgress(verb, (progress) => {
      progress.show('waiting for whoever else is at it, or for the disk');
      return run();
    });
  } catch (thrown) {
    if (thrown instanceof Refusal) {
      if (thrown.difference.length > 0) process.stderr.write(painted(thrown.difference, process.stderr));
      throw new CommandFailure(ExitStatus.no, thrown.message, thrown.advice);
    }
    if (thrown instanceof SystemError) throw ofSystem(thrown);
    throw thrown;
  }
}

function ofSystem(error: SystemError): CommandFailure {
  const { code, message } = error;
  const isRight = code === 'EACCES' || code === 'EPERM';
  const cannot = isRight || ['EROFS', 'ENOENT', 'ENOTDIR', 'ELOOP'].includes(code);
  const advice = isRight && process.geteuid?.() !== 0 ? ['run it as root'] : [];
  if (code === 'ENOSPC' || code === 'EDQUOT')
    advice.push('nothing was changed: make room there, and run it again');
  if (code === 'EROFS') advice.push('that is mounted read-only: remount it, or name another --plugin-dir');
  return new CommandFailure(cannot ? ExitStatus.unknown : ExitStatus.no, message, advice);
}

function asJson({ files, conflists, warnings, isAllGone }: Report, dryRun: boolean): unknown {
  const edited = conflists.map(({ path, backup, difference }) => ({
    path,
    backup: backup ?? null,
    diff: difference.map((line) => `${line}\n`).join(''),
  }));
  // install has at most one, and uninstall as many as it was given.
  const some = isAllGone === undefined ? { conflist: edited[0] ?? null } : { conflists: edited };
  return { dryRun, files, ...some, warnings };
}

function painted(lines: readonly string[], output: { readonly isTTY?: boolean } = process.stdout): string {
  const paint = paintFor(output);
  const styled = (line: string) => {
    if (line.startsWith('---') || line.startsWith('+++')) return paint('bold', line);
    if (line.startsWith('@@')) return paint('cyan', line);
    if (line.startsWith('+')) return paint('green', line);
    return line.startsWith('-') ? paint('red', line) : line;
  };
  return lines.map((line) => `${styled(line)}\n`).join('');
}
