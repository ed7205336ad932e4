import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debug, programs, run } from '../program.ts';
import { requires } from '../requirements.ts';

const cniDebug = join(dirname(debug[0] ?? ''), 'cni-debug');

test.each([[[]], [['--help']], [['help']]])('%j prints what there is', async (words) => {
  const answer = await run([cniDebug, ...words]);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  expect(answer.stdout).toContain('Usage: cni-debug ');
  expect(answer.stdout).toMatch(/^ {2}demo /m);
});

test('--version', async () => {
  expect((await run([cniDebug, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[['nonsense']], [['demo', 'more']]])(
  '%j is wrong usage, and nothing is on stdout',
  async (words) => {
    const answer = await run([cniDebug, ...words]);
    expect(answer).toMatchObject({ status: 2, stdout: '' });
    expect(answer.stderr).toStartWith('cni-debug: ');
    expect(answer.stderr).toContain('--help');
  },
);

test('where a runtime calls it by this name, it is the plugin', async () => {
  const answer = await run([cniDebug], { environment: { CNI_COMMAND: 'VERSION' } });
  expect(JSON.parse(answer.stdout).supportedVersions).toContain('1.1.0');
});

describe.if(requires('root'))('demo', () => {
  const leftovers = () => [
    ...readdirSync('/run/netns').filter((name) => name.includes('cni-debug-demo')),
    ...readdirSync('/tmp').filter((name) => name.startsWith('cni-debug-demo')),
  ];

  test.each([
    ['the executable', [cniDebug]],
    ['the program under Node', programs[1]?.[1] ?? []],
  ])('%s runs a chain, shows the records, and leaves nothing', async (_, argv) => {
    const answer = await run([...argv, 'demo']);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    for (const part of [
      '"debug" as the bridge itself',
      / debug ADD default\/nginx eth0 demo [\d.]+ ms 10\.22\.0\.2\/16\n/,
      'ms  bridge: create bridge "cni0"\n',
      / debug CHECK default\/nginx eth0 demo [\d.]+ ms done\n/,
      / debug DEL default\/nginx eth0 demo [\d.]+ ms done\n/,
      'CNI Command: ADD\nContainerID: demo\n',
      'After DEL: interfaces in the pod: 0, veths on the node: 0, leases: 0',
    ]) {
      expect(answer.stdout).toMatch(part);
    }
    expect(leftovers()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s in the middle leaves nothing', async (signal) => {
    let running = true;
    const started = async (pid: number) => {
      const isMade = () => readdirSync('/run/netns').includes(`cni-debug-demo-${pid}-pod`);
      while (running && !isMade()) await Bun.sleep(1);
      if (running) process.kill(pid, signal);
    };
    const answer = await run([cniDebug, 'demo'], { started });
    running = false;
    expect(answer).toMatchObject({ status: 1, signal: null });
    expect(leftovers()).toEqual([]);
  });

  test('needs nothing but root: no other plugin, and no tool', async () => {
    const hide = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni', '/opt/reference-cni/bin'];
    const script = `for f in ${hide.join(' ')}; do if [ -d $f ]; then mount -t tmpfs tmpfs $f; fi; done
      PATH=/nowhere exec ${cniDebug} demo`;
    const answer = await run(['unshare', '-m', 'sh', '-c', script]);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    expect(leftovers()).toEqual([]);
  });

  test('says so without root', async () => {
    const answer = await run(['setpriv', '--reuid=65534', '--clear-groups', cniDebug, 'demo']);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('must be run as root');
  });
});
