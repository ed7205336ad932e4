import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';
import type { Span } from './traced-span.ts';

const journal = '/var/log/cni-debug/journal.ndjson';

const portMappings = (hostPort: number) =>
  JSON.stringify({ portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] });
const portmap = { type: 'portmap', capabilities: { portMappings: true } };

/** `kind name` of a span's parts, and of theirs, indented. */
function outline({ children }: Span, depth = 0): string[] {
  return children.flatMap((child) => [
    `${'  '.repeat(depth)}${child.kind} ${child.name}`,
    ...outline(child, depth + 1),
  ]);
}

describe.if(requires('root', 'ip', 'nft', 'iptables', 'reference-plugins'))('on a node', () => {
  test('a chain with two recorders: gaps have the names of what ran in them, and one trace has all', async () => {
    await using node = await OperatorNode.start();
    const other = { ...debugPlugin, addHooks: [['ip', 'addr']] };
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin, portmap, other]));
    await node.pod('web');
    const words = ['lab', 'web', '--capabilities', portMappings(8080)];
    await node.typed(['add', ...words], {
      environment: { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web' },
    });
    await node.typed(['check', ...words]);
    await node.typed(['del', ...words]);

    const [life, ...others] = JSON.parse(await node.typed('trace --json'));
    expect(others).toEqual([]);
    expect(life).toMatchObject({ network: 'lab', ifName: 'eth0', netns: '/var/run/netns/web' });
    const [add, check, del] = life.operations;
    expect(life.operations.map(({ name }: Span) => name)).toEqual(['ADD', 'CHECK', 'DEL']);
    expect(outline(add)).toEqual([
      'call debug',
      '  work check prevResult',
      'gap runtime, portmap',
      'call debug',
      '  work check prevResult',
      '  hook hook ip addr',
    ]);
    expect(add).toMatchObject({ before: ['bridge'], behind: [] });
    expect(del).toMatchObject({ before: [], behind: ['bridge'] });
    const sum = add.children.reduce((time: number, { duration }: Span) => time + duration, 0);
    expect(add.duration).toBeCloseTo(sum, 2);
    expect(new Set([add, check, del].map(({ traceID }) => traceID)).size).toBe(3);

    const records = node
      .read(journal)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(new Set(records.map(({ trace }) => trace.traceID)).size).toBe(3);
    expect(
      records.every(({ trace, traceparent }) => traceparent === `00-${trace.traceID}-${trace.parentID}-01`),
    ).toBe(true);

    for (const word of [
      'last',
      'default/web',
      'web',
      life.containerID,
      life.containerID.slice(0, 12),
      add.record,
    ])
      expect(await node.typed(['trace', word])).toContain('eth0 of default/web (cnitool-');
    const shown = await node.typed('trace --width 80');
    expect(shown).toMatch(/\n-- .* later --\n/);
    expect(shown).toContain('not recorded: bridge before that\n');
    for (const line of shown.split('\n').filter((text) => text.length > 80)) expect(line).not.toMatch(/ms$/);
  });

  test('a list of delegates, built in and executed, of a container with three interfaces', async () => {
    await using node = await OperatorNode.start();
    const bridge = (name: string, subnet: string) => ({
      ...{ type: 'bridge', bridge: name, ipMasq: true, isGateway: true },
      ipam: { type: 'host-local', ranges: [[{ subnet }]] },
    });
    const list = (name: string, ...plugins: object[]) => ({ cniVersion: '1.1.0', name, plugins });
    const capabilities = { portMappings: true };
    node.configure(
      '10-a.conflist',
      list('a', { ...debugPlugin, capabilities, delegate: [bridge('br-a', '10.22.0.0/16'), portmap] }),
    );
    node.configure(
      '20-b.conflist',
      list('b', { ...debugPlugin, external: true, delegate: { ...bridge('br-b', '10.23.0.0/16') } }),
    );
    node.configure(
      '30-c.conflist',
      list('c', { ...debugPlugin, ...bridge('br-c', '10.24.0.0/16'), type: 'debug' }),
    );
    await node.pod('web');
    const reference = ['--plugin-dir', '/opt/cni/reference:/opt/cni/bin'];
    await node.typed(['add', 'a', 'web', '--capabilities', portMappings(8081)]);
    await node.typed(['add', 'b', 'web', '--ifname', 'eth1', ...reference]);
    await node.typed(['add', 'c', 'web', '--ifname', 'eth2']);

    const lives = JSON.parse(await node.typed('trace cnitool --json'));
    expect(lives.map(({ ifName }: { ifName: string }) => ifName)).toEqual(['eth0', 'eth1', 'eth2']);
    const [[a], [b], [c]] = lives.map(({ operations }: { operations: Span[] }) => operations);
    const ofA = outline(a);
    expect(ofA.slice(0, 3)).toEqual(['call debug', '  plugin bridge', '    wait wait for the lease lock']);
    expect(ofA).toContain('  plugin portmap');
    expect(ofA).toContainEqual(expect.stringMatching(/^ {2}kernel commit \d+ changes of nftables$/));
    expect(ofA.filter((line) => line.startsWith('    kernel create veth'))).toHaveLength(1);
    // A process of the reference tells nothing of its steps.
    expect(outline(b)).toEqual(['call debug', '  plugin bridge']);
    expect(outline(c).slice(0, 3)).toEqual([
      'call debug',
      '  plugin bridge',
      '    wait wait for the lease lock',
    ]);

    const shown = await node.typed('trace cnitool', { environment: { LANG: 'C.UTF-8' } });
    expect(shown.match(/^eth\d of /gm)).toEqual(['eth0 of ', 'eth1 of ', 'eth2 of ']);
    expect(shown).toContain('█');
    expect(await node.typed('trace')).toMatch(/^eth2 of /);
    expect(await node.typed('trace', { environment: { COLUMNS: '120' } })).not.toContain('█');

    const summary = await node.typed('trace --summary');
    expect(summary).toMatch(/^PLUGIN {6}COMMAND {3}CALLS {3}ERRORS {3}P50 +P95 +MAX\n/);
    expect(summary).toMatch(/\ndebug {7}ADD {7}3 {7}0 .* ms\n {2}bridge {4}ADD {7}2 /);
    const rows = JSON.parse(
      await node.typed(['trace', lives[0].operations[0].record, '--summary', '--json']),
    );
    expect(rows.map(({ plugin, calls }: { plugin: string; calls: number }) => [plugin, calls])).toEqual([
      ['debug', 1],
      ['bridge', 1],
      ['portmap', 1],
    ]);
  });

  test('without a journal there is nothing to look at', async () => {
    await using node = await OperatorNode.start();
    for (const words of ['trace', 'trace web --json', 'trace --summary'])
      expect((await node.type(words)).status).toBe(3);
    expect((await node.type('trace')).stderr).toStartWith(
      `cni-debug trace: there is no journal: ${journal}\n`,
    );
  });

  test('an ADD that failed, and the DEL that followed, by the record that the error names', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-bad.conflist', {
      ...{ cniVersion: '1.1.0', name: 'bad' },
      plugins: [{ ...debugPlugin, delegate: [{ type: 'bridge', bridge: 'br-bad' }, { type: 'nowhere' }] }],
    });
    await node.pod('web');
    const failed = await node.type('add bad web');
    const [, id = ''] = /record: ([0-9a-f]{16}) in/.exec(failed.stderr) ?? [];
    const shown = await node.typed(['trace', id, '--width', '100']);
    expect(shown).toMatch(/^ADD .* ms: failed$/m);
    expect(shown).toMatch(new RegExp(`^[* ]! debug ${id} `, 'm'));
    expect(shown).toMatch(/^ {5}error 101: delegate 2 of 2 \("nowhere"\): plugin "nowhere" was not found/m);
    expect(shown).toMatch(/^[* ]! {3}nowhere /m);
    expect(shown).toMatch(/^[* ] {4}bridge DEL /m);
    // The runtime takes it back.
    expect(shown).toMatch(/^DEL .* ms: failed$/m);
    const [{ operations }] = JSON.parse(await node.typed(['trace', id, '--json']));
    expect(new Set(operations.map(({ traceID }: { traceID: string }) => traceID)).size).toBe(1);
  });

  test('exec is one trace, of every network it attaches to; a trace that is there is continued', async () => {
    await using node = await OperatorNode.start();
    for (const [name, subnet] of [
      ['a', '10.22.0.0/16'],
      ['b', '10.23.0.0/16'],
    ] as const)
      node.configure(`10-${name}.conflist`, bridgeNetwork(name, subnet, [debugPlugin]));
    const traceID = '4bf92f3577b34da6a3ce929d0e0e4736';
    const environment = { TRACEPARENT: `00-${traceID}-00f067aa0ba902b7-01`, TRACESTATE: 'vendor=1' };
    await node.typed('exec a b -- true', { environment });
    const records = node
      .read(journal)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ command, network }) => `${command} ${network}`)).toEqual([
      'ADD a',
      'ADD b',
      'DEL b',
      'DEL a',
    ]);
    for (const { trace } of records) {
      expect(trace).toMatchObject({ traceID, flags: '01', state: 'vendor=1' });
      expect(trace.parentID).not.toBe('00f067aa0ba902b7');
    }
    expect(new Set(records.map(({ trace }) => trace.parentID)).size).toBe(4);
    await node.typed('exec a -- true', { environment: { ...environment, TRACEPARENT: 'nonsense' } });
    const [, , , , { trace }] = node
      .read(journal)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(trace.traceID).not.toBe(traceID);
    expect(trace).not.toHaveProperty('state');
  });

  test.if(requires('script'))('on a terminal it is as wide as that, and has colours', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    await node.pod('web');
    await node.typed('add lab web');
    const on = (columns: number) =>
      node.sh(
        `LANG=C.UTF-8 script -qec 'stty cols ${columns}; /opt/cni/bin/cni-debug trace' /dev/null </dev/null`,
      );
    for (const columns of [80, 132]) {
      const lines = Bun.stripANSI(await on(columns))
        .replaceAll('\r', '')
        .split('\n');
      expect(Math.max(...lines.filter((line) => line.endsWith(' ms')).map((line) => line.length))).toBe(
        columns,
      );
    }
    expect(await on(80)).toContain('\u001b[1mADD ');
  });
});
