import { InvalidArgumentError, Option } from 'commander';
import { parseIp } from '../cni/address.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { openNamespace } from '../kernel/netns.ts';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { probe } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/probe-run.ts';
import { probeJson, probeText } from '../probe/report.ts';
import { subjectOf } from '../probe/subject.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { durationOption, type PlaceOptions, withPlaceOptions } from './network-options.ts';
import { withProgress } from './progress.ts';
import { attachmentsOf } from './requested-attachments.ts';
import { note, paintFor, say, sayJson } from './terminal.ts';
import { act, containerMeans, verb } from './verb.ts';

interface ProbeCommandOptions extends PlaceOptions {
  readonly to: readonly Endpoint[];
  readonly ifname?: string;
  /** ms */
  readonly timeout: number;
  readonly format: 'text' | 'json';
}

export function probeCommand() {
  return withPlaceOptions(
    verb('probe', "try a container's network, and say where packets stop and why", [
      ['probe default/nginx', 'gateway, path MTU, resolvers, the way out, host ports'],
      ['probe 3f2a0c --to 10.96.0.1:443 --to [fd00::1]:443', 'and connections to these'],
      ['probe web --format json | jq -r ".findings[].cause"', 'for another program'],
    ])
      .argument('<container>', `${containerMeans}; the ID under which it is attached, or a pod`)
      .addOption(
        new Option('--to <address:port>', 'connect to there from the container; may be said again')
          .default([], 'nothing')
          .argParser((text: string, known: readonly Endpoint[]) => [...known, endpoint(text)]),
      )
      .option('--ifname <name>', 'only this interface')
      .addOption(durationOption('--timeout <duration>', 'how long to wait for an answer', '3s'))
      .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text')),
  )
    .addHelpText(
      'after',
      '\nIt sends to the addresses that --to names, the gateway and the resolvers, changes nothing, and takes less than 15 s.\nExit status: 0 sound, 1 something is wrong, 2 wrong usage, 3 nothing found, but not all could be looked at.\nEvery rule has a page: docs/rules/P001.md.',
    )
    .action(act(run));
}

async function run(container: string, options: ProbeCommandOptions): Promise<number> {
  const { attachments, refused } = everyAttachment(options);
  const wanted = attachmentsOf(container, attachments).filter(
    ({ ifName }) => options.ifname === undefined || ifName === options.ifname,
  );
  const subject = subjectOf(ofOne(container, wanted, attachments), options.cacheDir);
  if (process.getuid?.() !== 0)
    throw new CommandFailure(ExitStatus.unknown, 'looks into network namespaces, so it must be run as root');
  if (subject.netns === '')
    throw new CommandFailure(ExitStatus.unknown, `nobody knows the network namespace of ${container}`);
  const pod = openNamespace(subject.netns);
  try {
    const { to: targets, timeout: timeoutMs } = options;
    const found = await withProgress('probe', async (progress) => {
      const onStep = (what: string): void => progress.tick(what);
      return probe(subject, pod, { targets, timeoutMs, onStep });
    });
    if (options.json || options.format === 'json') sayJson(probeJson(found));
    else say(probeText(found, paintFor()));
    for (const reason of refused) note('probe', `could not look at everything: ${reason}`);
    return statusOf(found);
  } finally {
    pod.close();
  }
}

/** All interfaces of one container; two of the same beginning are not guessed between. */
function ofOne(
  container: string,
  wanted: readonly KnownAttachment[],
  all: readonly KnownAttachment[],
): [KnownAttachment, ...KnownAttachment[]] {
  const living = wanted.filter(({ state }) => state !== 'gone');
  const [first, ...more] = living.length > 0 ? living : wanted;
  if (first === undefined) {
    const names = all.map(({ containerID, pod }) => pod ?? containerID);
    throw new CommandFailure(ExitStatus.no, `no attachment of ${container} is known`, [
      names.length === 0 ? 'there is none at all' : `there are: ${[...new Set(names)].join(', ')}`,
    ]);
  }
  const ids = [...new Set([first, ...more].map(({ containerID }) => containerID))];
  if (ids.length > 1)
    throw new CommandFailure(ExitStatus.usage, `${container} is the beginning of several: ${ids.join(', ')}`);
  return [first, ...more];
}

function statusOf({ findings, steps }: ProbeRun): number {
  if (findings.some(({ severity }) => severity !== 'info')) return ExitStatus.no;
  return steps.some(({ outcome }) => outcome === 'not looked at') ? ExitStatus.unknown : 0;
}

/** An address and not a name: whom a name would be asked of is what is being tried. */
function endpoint(text: string): Endpoint {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const ip = parseIp(bracketed ?? plain ?? '');
  const port = Number(digits);
  if (ip === undefined || port < 1 || port > 65_535)
    throw new InvalidArgumentError('It is an address and a port: 10.96.0.1:443, [fd00::1]:443.');
  return { ip, port };
}
