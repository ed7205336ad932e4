import type { Command } from 'commander';
import { type NetworkList, parseConflist } from '../cni/conflist.ts';
import { chainLines } from '../explain/chain-section.ts';
import { containerLines } from '../explain/container-section.ts';
import { differenceLines } from '../explain/difference-section.ts';
import { hostLines, sysctlLines } from '../explain/host-section.ts';
import { natLines } from '../explain/nat-section.ts';
import { type Section, section } from '../explain/section.ts';
import { type Lease, listLeases } from '../ipam/lease-listing.ts';
import { type Contents, contentsHere, contentsIn } from '../node/contents.ts';
import { dataDirsOf } from '../node/data-dirs.ts';
import { everyAttachment, type KnownAttachment } from '../node/every-attachment.ts';
import { journalsOf } from '../node/journals.ts';
import { newestRecords } from '../node/newest-records.ts';
import { textsIn } from '../runtime/every-plugin.ts';
import { type NetworkFile, networkFiles } from '../runtime/network-files.ts';
import { ResultCache } from '../runtime/result-cache.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { ageText } from './age.ts';
import { CommandFailure, ExitStatus } from './failure.ts';
import { type PlaceOptions, withPlaceOptions } from './network-options.ts';
import { attachmentsOf } from './requested-attachments.ts';
import { note, type Paint, paintFor, say, sayJson } from './terminal.ts';
import { act, containerMeans, verb } from './verb.ts';

interface ExplainOptions extends PlaceOptions {
  readonly ifname?: string;
}

export function explainCommand(): Command {
  return withPlaceOptions(
    verb('explain', 'show everything that is known of an attachment', [
      ['explain default/nginx', 'a pod, as the records of debug name it'],
      ['explain 3f2a0c --ifname eth12', 'one interface of a container'],
    ])
      .argument('<container>', `${containerMeans}; the ID under which it is attached, or a pod`)
      .option('--ifname <name>', 'only this interface'),
  ).action(act(explain));
}

/** Status 1 where something is not as it should be. */
async function explain(container: string, options: ExplainOptions): Promise<number> {
  const { attachments, refused } = everyAttachment(options);
  for (const reason of refused) note('explain', `could not look at everything: ${reason}`);
  const wanted = attachmentsOf(container, attachments).filter(
    ({ ifName }) => options.ifname === undefined || ifName === options.ifname,
  );
  if (wanted.length === 0) {
    const names = attachments.map(
      ({ containerID, ifName, network }) => `${containerID} ${ifName} (${network})`,
    );
    throw new CommandFailure(ExitStatus.no, `no attachment of ${container} is known`, [
      names.length === 0 ? 'there is none at all' : `there are: ${names.join(', ')}`,
    ]);
  }
  const explained = wanted.map((attachment) => ({
    ...attachment,
    sections: sectionsOf(attachment, options),
  }));
  if (options.json) sayJson(explained);
  else say(explained.map(asText(paintFor())).join('\n'));
  const isSound = ({ sections }: { sections: readonly Section[] }) =>
    sections.every(({ title, lines }) => title !== 'differs' || lines.length === 0);
  return explained.every(isSound) ? 0 : ExitStatus.no;
}

/** What is known of an attachment, a part each; what cannot be looked at is said in its part. */
export function sectionsOf(attachment: KnownAttachment, options: PlaceOptions): Section[] {
  const { network, containerID, ifName, netns, addresses } = attachment;
  const cached = cachedOf(attachment, options);
  const file = fileOf(network, options);
  const config = cached?.config ?? '';
  const list = config === '' ? file?.list : listOf(config);
  const records = recordsOf(attachment, list);
  const leases = leasesOf(attachment, list);
  const isLeased = list !== undefined && textsIn(list, 'ipam', 'type').includes('host-local');
  const recorded = records.find(({ kind, command, error }) => kind === 'call' && command === 'ADD' && !error);
  const inside = attempt(() => contentsIn(netns));
  const host = attempt(contentsHere);
  const link = inside?.links.find(({ name }) => name === ifName);
  const onHost = (lines: (contents: Contents) => string[]) => () => lines(host ?? contentsHere());
  return [
    section('chain', () => chainLines({ file, config, records })),
    section('container', () => containerLines(inside ?? contentsIn(netns), ifName, netns)),
    section(
      'node',
      onHost((contents) => hostLines(contents, link, addresses)),
    ),
    section('leases', () => leases.map(leaseText)),
    section('nat', () => natLines({ network, containerID, ifName })),
    section(
      'sysctls',
      onHost((contents) => sysctlLines(contents, link, addresses)),
    ),
    section('cache', () =>
      cached === undefined ? [] : [new ResultCache(options.cacheDir).pathOf(attachment)],
    ),
    section('calls', () =>
      records
        .filter(({ kind }) => kind === 'call')
        .slice(0, mostCalls)
        .map(callText),
    ),
    section('differs', () => differenceLines({ netns, cached: cached?.result, recorded, leases, isLeased })),
  ];
}

/** The rest is for `cni-debug logs`. */
const mostCalls = 6;

function asText(paint: Paint): (explained: KnownAttachment & { sections: readonly Section[] }) => string {
  return ({ network, containerID, ifName, pod, state, since, sections }) => {
    const whose = pod === undefined ? containerID : `${pod} (${containerID})`;
    const age = ageText(Date.now() - Date.parse(since));
    const head = paint('bold', `${ifName} of ${whose}, in network "${network}": ${state}, ${age} old`);
    const shown = sections.filter(({ lines }) => lines.length > 0);
    const width = Math.max(...shown.map(({ title }) => title.length));
    const lines = shown.flatMap(({ title, lines }) =>
      lines.map((line, index) => {
        const heading = (index === 0 ? title : '').padEnd(width);
        return `  ${paint(title === 'differs' ? 'red' : 'cyan', heading)}  ${line}`;
      }),
    );
    return `${[head, ...lines].join('\n')}\n`;
  };
}

function callText({ startedAt, plugin, command, duration = 0, error, id }: StoredRecord): string {
  const outcome = error === undefined ? 'done' : `error ${error.code}: ${error.msg}`;
  return `${startedAt.toISOString()} ${plugin} ${command} ${duration.toFixed(1)} ms, ${outcome} (record ${id})`;
}

function leaseText({ address, path, since }: Lease): string {
  return `${address}, since ${since.toISOString()} (${path})`;
}

function cachedOf(attachment: KnownAttachment, { cacheDir }: PlaceOptions) {
  return attempt(() => new ResultCache(cacheDir).read(attachment));
}

function fileOf(network: string, { confDir }: PlaceOptions): NetworkFile | undefined {
  return attempt(() => networkFiles(confDir).networks.find(({ list }) => list.name === network));
}

function listOf(config: string): NetworkList | undefined {
  return attempt(() => parseConflist(config));
}

function recordsOf(attachment: KnownAttachment, list: NetworkList | undefined): StoredRecord[] {
  const { network, containerID, ifName } = attachment;
  const isOf = (record: StoredRecord) =>
    record.network === network && record.containerID === containerID && record.ifName === ifName;
  const journals = journalsOf(list ?? { plugins: [] });
  return attempt(() => [...newestRecords(journals)].filter(isOf)) ?? [];
}

function leasesOf(attachment: KnownAttachment, list: NetworkList | undefined): Lease[] {
  const { network, containerID, ifName } = attachment;
  return dataDirsOf(list ?? { plugins: [] })
    .flatMap((folder) => attempt(() => listLeases(folder)) ?? [])
    .filter((lease) => lease.network === network && lease.containerID === containerID)
    .filter((lease) => lease.ifName === undefined || lease.ifName === ifName);
}

/** Undefined where it cannot be looked at; the section that needs it says why. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
