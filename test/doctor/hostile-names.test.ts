import { expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { ago, type Found, findings, journal, soundNode } from './doctor-node.ts';

const hostile = 'x;touch $(pwned)';

test.if(requires('root', 'ip', 'nft'))('what names say is never a command of its own', async () => {
  await using node = await soundNode();
  const ended = { network: hostile, command: 'ADD', msg: 'ADD', containerID: hostile, ifName: 'eth0' };
  const kept = { network: hostile, containerId: hostile, ifName: 'eth0', netns: `/run/netns/${hostile}` };
  await node.sh(`mkdir -p '/var/lib/cni/networks/${hostile}'`);
  node.write(`/var/lib/cni/networks/${hostile}/10.60.0.2`, `gone\r\neth0`);
  node.write(`/var/lib/cni/networks/${hostile}/10.60.0.3`, '');
  node.write(`/var/lib/cni/networks/${hostile}/10.60.0.4`, hostile.repeat(40));
  await node.sh(`mkdir '/var/lib/cni/networks/${hostile}/10.60.0.5'`);
  node.write(`/var/lib/cni/results/${hostile}-damaged-eth0`, '');
  node.write(`/var/lib/cni/results/${hostile}-gone-eth0`, {
    ...{ kind: 'cniCacheV1', containerId: hostile, ifName: 'eth0', networkName: hostile },
    ...{ config: Buffer.from('{}').toString('base64'), netns: kept.netns, cniArgs: [] },
  });
  // From before the node was started.
  await node.sh(`touch -d 2001-01-01 '/var/lib/cni/networks/${hostile}/10.60.0.2'`);
  node.configure(`${hostile}.conflist`, '{');
  await journal(node, [
    {
      ...{ ...ended, id: hostile, plugin: 'slow', startedAt: ago(60), duration: 9000, netns: kept.netns },
      delegates: [
        { type: 'crashes', command: 'ADD', failure: 'plugin "crashes" (/x) was killed by SIGKILL' },
        {
          type: 'prints',
          command: 'ADD',
          failure: 'plugin "prints" (/x) exited with status 0 on ADD and printed two',
        },
      ],
      error: { code: 999, msg: 'x', details: 'y' },
    },
    {
      ...ended,
      kind: 'begin',
      id: `${hostile}2`,
      startedAt: ago(7200),
      containerID: 'began',
      process: { pid: 1 },
    },
  ]);
  const found = all(await findings(node));
  const ids = new Set(found.map(({ id }) => id));
  for (const id of ['D001', 'D004', 'D005', 'D006', 'D008', 'D009', 'D011', 'D012', 'D013', 'D017'])
    expect(ids).toContain(id);
  const commands = found.flatMap(({ fix, undo, evidence }) => [
    ...fix,
    ...undo,
    ...evidence.map(({ source }) => source),
  ]);
  expect(commands.filter((line) => !line.startsWith('/') && /pwned/.test(outsideOfQuotes(line)))).toEqual([]);
});

function all(found: readonly Found[]): Found[] {
  return found.flatMap((one) => [one, ...all(one.consequences)]);
}

/** Of what `shellWord` may have written. */
function outsideOfQuotes(command: string): string {
  return command.replaceAll(/'[^']*'/g, '');
}
