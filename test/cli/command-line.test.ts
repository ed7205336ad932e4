import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debug, run } from '../program.ts';
import { requires } from '../requirements.ts';

const cniDebug = join(dirname(debug[0] ?? ''), 'cni-debug');

test.each([[[]], [['--help']], [['help']]])('%j prints what there is', async (words) => {
  const answer = await run([cniDebug, ...words]);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  expect(answer.stdout).toContain('cni-debug demo');
});

test('--version', async () => {
  expect((await run([cniDebug, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[['nonsense']], [['demo', 'more']]])(
  '%j is wrong usage, and nothing is on stdout',
  async (words) => {
    const answer = await run([cniDebug, ...words]);
    expect(answer).toMatchObject({ status: 2, stdout: '' });
    expect(answer.stderr).toContain(`unknown command: ${words.join(' ')}`);
  },
);

test('where a runtime calls it by this name, it is the plugin', async () => {
  const answer = await run([cniDebug], { environment: { CNI_COMMAND: 'VERSION' } });
  expect(JSON.parse(answer.stdout).supportedVersions).toContain('1.1.0');
});

describe.if(requires('root', 'ip', 'iptables', 'reference-plugins'))('demo', () => {
  const leftovers = () => [
    ...readdirSync('/run/netns').filter((name) => name.includes('cni-debug-demo')),
    ...readdirSync('/tmp').filter((name) => name.startsWith('cni-debug-demo')),
  ];

  test('runs a chain, shows the records, and leaves nothing', async () => {
    const answer = await run([cniDebug, 'demo']);
    expect(answer).toMatchObject({ status: 0, stderr: '' });
    for (const part of [
      'bridge -> debug -> portmap',
      'INFO: ADD demo eth0 default/nginx: 10.22.0.2/16',
      'INFO: CHECK demo eth0 default/nginx: done',
      'INFO: DEL demo eth0 default/nginx: done',
      'CNI Command: ADD\nContainerID: demo\n',
      'After DEL: interfaces in the pod: 0, veths on the node: 0, leases: 0',
    ]) {
      expect(answer.stdout).toContain(part);
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

  test('says what is missing where the reference plugins are not', async () => {
    const hide = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni', '/opt/reference-cni/bin'];
    const script = `for f in ${hide.join(' ')}; do if [ -d $f ]; then mount -t tmpfs tmpfs $f; fi; done; exec ${cniDebug} demo`;
    const answer = await run(['unshare', '-m', 'sh', '-c', script]);
    expect(answer).toMatchObject({ status: 3, stdout: '' });
    expect(answer.stderr).toContain('cannot find bridge, host-local, portmap');
    expect(answer.stderr).toContain('apt-get install containernetworking-plugins');
  });
});
