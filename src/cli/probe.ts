import { InvalidArgumentError, Option } from 'commander';
import { openNamespace } from '../kernel/netns.ts';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { bareSubject } from '../probe/bare-subject.ts';
import { probe } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/probe-run.ts';
import { probeJson, probeText } from '../probe/report.ts';
import { type Subject, subjectOf } from '../probe/subject.ts';
import { parseTarget, type Target } from '../probe/target.ts';
import { findNamespace, NamespaceNotFoundError } from '../runtime/find-namespace.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { durationOption, type PlaceOptions, withPlaceOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { attachmentsOf } from './requested-attachments.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';
import { act, containerMeans, verb } from './verb.ts';

interface ProbeCommandOptions extends PlaceOptions {
  readonly to: readonly Target[];
  readonly ifname?: string;
  /** ms */
  readonly timeout: number;
  readonly format: 'text' | 'json';
}

export function probeCommand() {
  return withPlaceOptions(
    verb('probe', "try a container's network, and say where packets stop and why", [
      ['probe default/nginx', 'gateway, path MTU, resolvers, the way out, host ports'],
      ['probe 3f2a0c --to 10.96.0.1:443 --to api.default.svc:80', 'and connections to these'],
      ['probe web --format json | jq -r ".findings[].cause"', 'for another program'],
    ])
      .argument('<container>', `${containerMeans}; the ID under which it is attached, or a pod`)
      .addOption(
        new Option(
          '--to <host:port>',
          'connect to there, an address or a name, from the container; may be said again',
        )
          .default([], 'nothing')
          .argParser((text: string, known: readonly Target[]) => [...known, target(text)]),
      )
      .option('--ifname <name>', 'only this interface')
      .addOption(durationOption('--timeout <duration>', 'how long to wait for an answer', '3s'))
      .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text')),
  )
    .addHelpText(
      'after',
      '\nIt sends to what --to names, the gateway, the resolvers and the node itself, changes nothing, and takes less than 15 s.\nExit status: 0 sound, 1 something is wrong, 2 wrong usage, 3 nothing found, but not all could be looked at.\nEvery rule has a page: docs/rules/P001.md.',
    )
    .action(act(run));
}

async function run(container: string, options: ProbeCommandOptions): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new CommandFailure(ExitStatus.unknown, 'looks into network namespaces, so it must be run as root');
  const { attachments, refused } = everyAttachment(options);
  for (const reason of refused) note('probe', `could not look at everything: ${reason}`);
  const subject = subjectCalled(container, attachments, options);
  const pod = openNamespace(subject.netns);
  try {
    const { to: targets, timeout: timeoutMs } = options;
    const found = await withProgress('probe', async (progress) => {
      const onStep = (what: string): void => progress.tick(what);
      return probe(subject, pod, { targets, timeoutMs, onStep });
    });
    if (options.json || options.format === 'json') sayJson(probeJson(found));
    else say(probeText(found, paintFor()));
    return statusOf(found);
  } finally {
    pod.close();
  }
}

/** An attached container, or else a namespace of which only what is in it is known. */
function subjectCalled(
  container: string,
  attachments: readonly KnownAttachment[],
  { ifname, cacheDir }: ProbeCommandOptions,
): Subject {
  const wanted = attachmentsOf(container, attachments);
  const living = wanted.filter(({ state, netns }) => state !== 'gone' && netns !== '');
  const ids = [...new Set(living.map(({ containerID }) => containerID))];
  if (ids.length > 1)
    throw new CommandFailure(ExitStatus.usage, `${container} is the beginning of several: ${ids.join(', ')}`);
  const [first, ...more] = living;
  const subject =
    first === undefined ? bareCalled(container, wanted, attachments) : subjectOf([first, ...more], cacheDir);
  const interfaces = subject.interfaces.filter(({ ifName }) => ifname === undefined || ifName === ifname);
  if (interfaces.length > 0) return { ...subject, interfaces };
  const names = subject.interfaces.map(({ ifName }) => ifName).join(', ') || 'none with an address';
  throw new CommandFailure(
    ExitStatus.no,
    ifname === undefined ? `${container} has no interface` : `${container} has no interface "${ifname}"`,
    [`there are: ${names}`],
  );
}

function bareCalled(
  container: string,
  gone: readonly KnownAttachment[],
  all: readonly KnownAttachment[],
): Subject {
  if (gone.length > 0)
    throw new CommandFailure(
      ExitStatus.no,
      `the network namespace of ${container} is gone, or nobody knows it`,
    );
  try {
    const { netns, containerID = container } = findNamespace(container);
    return bareSubject(containerID, netns);
  } catch (error) {
    if (!(error instanceof NamespaceNotFoundError)) throw error;
    const names = [...new Set(all.map(({ containerID, pod }) => pod ?? containerID))];
    const known = names.length === 0 ? 'no attachment is known at all' : `attached are: ${names.join(', ')}`;
    throw new CommandFailure(ExitStatus.no, error.message, [known, ...error.advice]);
  }
}

function statusOf({ findings, steps }: ProbeRun): number {
  if (findings.some(({ severity }) => severity !== 'info')) return ExitStatus.no;
  return steps.some(({ outcome }) => outcome === 'not looked at') ? ExitStatus.unknown : 0;
}

function target(text: string): Target {
  const parsed = parseTarget(text);
  if (parsed === undefined)
    throw new InvalidArgumentError(
      'It is an address or a name, and a port: 10.96.0.1:443, [fd00::1]:443, example.org:443.',
    );
  return parsed;
}
