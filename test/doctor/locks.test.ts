import { describe, expect, test } from 'bun:test';
import { canRun, diagnosis, findings, ofOther, soundNode } from './doctor-node.ts';

const lock = '/var/lib/cni/networks/lab/lock';

/** Until somebody has it. */
const untilHeld = (path: string) => `until ! flock --nonblock ${path} true; do sleep 0.02; done`;

describe.if(canRun)('locks that are held', () => {
  test('the lock of leases: by whom, in the words of the kernel', async () => {
    await using node = await soundNode();
    await node.sh(`flock ${lock} sleep 60 >/dev/null 2>&1 & ${untilHeld(lock)}`);
    const [found] = await findings(node);
    const pid = (await node.sh('pgrep -x flock')).trim();
    expect(found).toMatchObject({
      id: 'D007',
      severity: 'error',
      object: 'network lab',
      cause: `the lock of its leases has been held for more than 2 s by pid ${pid} (flock)`,
    });
    expect(found?.evidence[0]?.text).toMatch(new RegExp(`FLOCK .* ${pid} .*:\\d+ 0 EOF`));
    expect(found?.evidence[1]).toEqual({ source: `/proc/${pid}/cmdline`, text: `flock ${lock} sleep 60` });
    expect(found?.fix).toContain(`kill ${pid}`);
    await node.sh(`kill ${pid}; pkill sleep`);
    expect(await diagnosis(node)).toEqual([]);
  });

  test('one that a child has inherited: the process that took it is gone', async () => {
    await using node = await soundNode();
    await node.sh(`(flock 9; sleep 60 >/dev/null 2>&1 &) 9>${lock}; ${untilHeld(lock)}`);
    const [found] = await findings(node);
    expect(found).toMatchObject({ id: 'D007', object: 'network lab' });
    expect(found?.cause).toEndWith('by a process that cannot be seen from here');
    expect(found?.fix[0]).toContain(`fuser -v ${lock}`);
  });

  test('the lock of iptables', async () => {
    await using node = await soundNode();
    await node.sh(`flock /run/xtables.lock sleep 60 >/dev/null 2>&1 & ${untilHeld('/run/xtables.lock')}`);
    const [found] = await findings(node);
    expect(found).toMatchObject({ id: 'D007', object: 'node' });
    expect(found?.cause).toStartWith('the lock of iptables has been held for more than 2 s by pid ');
  });

  test('none of: one that many take in turn, one that is let go of, that of another network', async () => {
    await using node = await soundNode();
    await node.sh(
      `(while :; do flock ${lock} sleep 0.01; done) >/dev/null 2>&1 & echo $! >/run/taking; ${untilHeld(lock)}`,
    );
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(
      `kill $(cat /run/taking); sleep 0.1; flock ${lock} sleep 1 >/dev/null 2>&1 & ${untilHeld(lock)}`,
    );
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(`flock ${lock} sleep 60 >/dev/null 2>&1 & ${untilHeld(lock)}`);
    expect(await diagnosis(node, `doctor ${ofOther(node)}`)).toEqual([]);
  });

  test('none of: what an exec or an ADD holds while it works', async () => {
    await using node = await soundNode();
    const exec = node.type('exec lab -- sleep 4');
    await node.sh('until pgrep -x sleep; do sleep 0.02; done');
    expect(await diagnosis(node)).toEqual([]);
    expect((await exec).status).toBe(0);
  });
});
