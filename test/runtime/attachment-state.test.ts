import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { newObject } from '../../src/cni/json.ts';
import {
  attachmentState,
  isOwnNetwork,
  type Located,
  remainingNetns,
} from '../../src/runtime/attachment-state.ts';
import { scratchFolder, scratchNamespace } from '../kernel/scratch.ts';
import { requires } from '../requirements.ts';

const own = '/proc/self/ns/net';

/** A result whose interfaces in the container are these. */
function result(interfaces: { name: string; mac?: string }[]) {
  const outside = newObject([['name', 'cni0']]);
  const inside = interfaces.map((one) => newObject(Object.entries({ ...one, sandbox: '/run/netns/x' })));
  return newObject([['interfaces', [outside, ...inside]]]);
}

function both(located: Partial<Located>): string[] {
  const attachment = { netns: '', ifName: 'eth0', ...located };
  return [attachmentState(attachment), remainingNetns(attachment)];
}

test('what says no namespace, or one that is no more', () => {
  expect(both({ netns: '' })).toEqual(['unknown', '']);
  expect(both({ netns: '/run/netns/none' })).toEqual(['gone', '/run/netns/none']);
  expect(both({ netns: '/proc/99999999/ns/net' })).toEqual(['gone', '/proc/99999999/ns/net']);
  const folder = scratchFolder();
  try {
    // What is left of a namespace whose mount is gone.
    const path = `${folder.path}/file`;
    writeFileSync(path, '');
    expect(both({ netns: path })).toEqual(['gone', path]);
    expect(both({ netns: `${path}/x` })).toEqual(['gone', `${path}/x`]);
    expect([isOwnNetwork(path), isOwnNetwork('/run/netns/none'), isOwnNetwork('')]).toEqual([
      false,
      false,
      false,
    ]);
  } finally {
    folder.remove();
  }
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let namespace: ReturnType<typeof scratchNamespace>;
  let process: Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
  let byProcess: string;
  const mac = '0a:58:0a:16:00:05';
  const before = new Date(Date.now() - 3_600_000);
  const after = new Date(Date.now() + 3_600_000);

  beforeEach(async () => {
    namespace = scratchNamespace(`link add eth0 address ${mac} type bridge`);
    process = Bun.spawn(['nsenter', `--net=${namespace.path}`, 'sh', '-c', 'echo; exec sleep 60'], {
      ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
    });
    await process.stdout.getReader().read();
    byProcess = `/proc/${process.pid}/ns/net`;
  });
  afterEach(() => {
    process.kill('SIGKILL');
    namespace.remove();
  });

  test('by its name, and by its MAC where that is known', () => {
    const netns = namespace.path;
    expect(both({ netns })).toEqual(['alive', netns]);
    expect(both({ netns, ifName: 'eth1' })).toEqual(['no-interface', netns]);
    expect(both({ netns, result: result([{ name: 'eth0', mac: mac.toUpperCase() }]) })).toEqual([
      'alive',
      netns,
    ]);
    expect(both({ netns, result: result([{ name: 'eth0', mac: '0a:58:0a:16:00:06' }]) })).toEqual([
      'no-interface',
      netns,
    ]);
    // Of loopback, whatever it was called with; its MAC tells nothing.
    const lo = result([{ name: 'lo', mac: '00:00:00:00:00:00' }]);
    expect(both({ netns, ifName: 'eth7', result: lo })).toEqual(['alive', netns]);
  });

  test('a process that was there before is the one that is meant', () => {
    for (const interfaces of [[], [{ name: 'eth0', mac }], [{ name: 'eth0', mac: '02:00:00:00:00:01' }]]) {
      const [state, netns] = both({ netns: byProcess, since: after, result: result(interfaces) });
      expect([state, netns]).toEqual([
        interfaces[0]?.mac === '02:00:00:00:00:01' ? 'no-interface' : 'alive',
        byProcess,
      ]);
    }
  });

  test('one that was started later has only the number', () => {
    for (const netns of [byProcess, byProcess.replace('ns', `task/${process.pid}/ns`)]) {
      const later = { netns, since: before };
      expect(both({ ...later, ifName: 'eth1' })).toEqual(['gone', '']);
      expect(both({ ...later, result: result([{ name: 'eth0', mac: '02:00:00:00:00:01' }]) })).toEqual([
        'gone',
        '',
      ]);
      // By its MAC it is that very one: a clock was set.
      expect(both({ ...later, result: result([{ name: 'eth0', mac }]) })).toEqual(['alive', netns]);
      // Nothing tells: no garbage, and nothing to be removed.
      expect(both(later)).toEqual(['alive', '']);
    }
    // Only processes hand on their numbers.
    const netns = namespace.path;
    expect(both({ netns, since: before, ifName: 'eth1' })).toEqual(['no-interface', netns]);
  });

  test('the network of this process is nobody’s', () => {
    expect(both({ netns: own, ifName: 'lo' })).toEqual(['gone', '']);
    expect([
      isOwnNetwork(own),
      isOwnNetwork('/proc/thread-self/ns/net'),
      isOwnNetwork(namespace.path),
    ]).toEqual([...[true, true, false]]);
  });
});
