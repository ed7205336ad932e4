import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { succeeded } from '../root/site.ts';
import { difference } from '../root/snapshot.ts';
import { ContainerdNode } from './containerd.ts';
import { further, lab } from './networks.ts';

/** How often each is killed, at moments that are spread over all that it does. */
const kills = 8;
const goldenRatio = 0.618;

describe.if(requires('root', 'ip', 'nft', 'containerd', 'runc', 'ctr', 'busybox', 'reference-plugins'))(
  'a call that is killed at any moment',
  () => {
    for (const [what, ...words] of [
      ['attach', 'attach', 'one', 'further'],
      ['exec', 'exec', 'further', 'lab', '--', '/bin/true'],
      ['detach', 'detach', 'one', '--ifname', 'eth1'],
    ]) {
      test(`${what}: the next call leaves nothing of it`, async () => {
        await using node = await ContainerdNode.start();
        node.configure(lab());
        node.configure(further(), '20-further.conflist');
        await node.container('one');
        succeeded(await node.cniDebug('exec', 'further', 'lab', '--', '/bin/true'));
        const before = await node.snapshot();
        if (what === 'detach') succeeded(await node.cniDebug('attach', 'one', 'further'));
        const startedAt = performance.now();
        succeeded(await node.cniDebug(...words));
        const longest = performance.now() - startedAt;
        if (what === 'attach') succeeded(await node.cniDebug('detach', 'one', '--ifname', 'eth1'));

        let killed = 0;
        let said = '';
        // On a busy machine it is faster at times than when it was measured.
        for (let round = 0; killed < kills && round < 10 * kills; round += 1) {
          if (what === 'detach') succeeded(await node.cniDebug('attach', 'one', 'further'));
          const seconds = ((longest * (((round + 1) * goldenRatio) % 1)) / 1000).toFixed(3);
          const status = await node.run('sh', '-c', killedAfter, seconds, ...words);
          if (status.trim() === '137') killed += 1;
          const warnings = await settle(node);
          said += warnings;
          if (what === 'attach' || what === 'detach')
            await node.cniDebug('detach', 'one', '--ifname', 'eth1');
          expect({ seconds, warnings, left: difference(before, await node.snapshot()) }).toEqual({
            ...{ seconds, warnings, left: [] },
          });
        }
        // Otherwise this was no test of it.
        expect(killed).toBe(kills);
        // What DEL has not come to the end of is still cached.
        expect(said.includes('a call was killed that had begun further/')).toBe(what !== 'detach');
      });
    }
  },
);

/** Only it is killed, and not what it has started: that goes on by itself. */
const killedAfter = 'timeout --foreground -s KILL "$0" /opt/cni/bin/cni-debug "$@" >/dev/null 2>&1; echo $?';

/** What begins next takes back what was begun, once the plugins of that have ended; what it says. */
async function settle(node: ContainerdNode): Promise<string> {
  let said = '';
  for (;;) {
    const { stderr } = succeeded(await node.cniDebug('gc', 'further'));
    said += stderr;
    if ((await node.run('ls', '-A', '/var/lib/cni/cni-debug')) === '') return said;
    await Bun.sleep(20);
  }
}
