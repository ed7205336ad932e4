import { askResolver } from './ask-resolver.ts';
import { type DnsQuestion, questionText, responseCode } from './dns-message.ts';
import type { ProbeRun } from './probe-run.ts';
import { noResolver } from './resolver-finding.ts';
import { type ResolverSettings, resolverSettings } from './resolver-settings.ts';

/** Whether the resolvers that the container asks do answer. Answers which of them do. */
export function probeDns(run: ProbeRun): string[] {
  let settings: ResolverSettings | undefined;
  try {
    settings = resolverSettings(run);
  } catch (error) {
    run.notLookedAt('DNS', error instanceof Error ? error.message : String(error));
    return [];
  }
  if (settings === undefined) {
    run.notTried('DNS', 'no process runs in the container, and its result names no resolver');
    return [];
  }
  if (settings.nameservers.length === 0) run.fail('DNS', noResolver(run, settings));
  const known = settings;
  return settings.nameservers.filter((server) => probeResolver(run, server, known));
}

/** Every resolver knows these. */
const ROOT: DnsQuestion = { type: 'NS', name: '' };

function probeResolver(run: ProbeRun, server: string, settings: ResolverSettings): boolean {
  const what = `resolver ${server}`;
  const asked = askResolver(run, server, settings, ROOT);
  if (asked.kind === 'late') run.notTried(what, 'the time of the probe is over');
  else if (asked.kind === 'failed') run.fail(what, asked.finding);
  else {
    const { message, ms } = asked;
    const said = `answers ${responseCode(message)} in ${ms.toFixed(1)} ms`;
    run.ok(what, `${said} (asked for the ${questionText(ROOT)}; ${settings.source})`);
  }
  return asked.kind === 'answered';
}
