import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../requirements.ts';
import { Node } from './node.ts';

describe.if(requires('root', 'ip', 'iptables', 'reference-plugins'))('with the reference plugins', () => {
  let node: Node;
  beforeEach(() => {
    node = new Node();
  });
  afterEach(() => node.remove());

  const chains: [string, string, string][] = [
    ['bridge, debug, portmap', '10-bridge-debug-portmap.conflist', '1.0.0'],
    ['debug first, wrapping bridge', '20-debug-wraps-bridge.conflist', '1.0.0'],
    ['bridge, portmap, debug last', '30-debug-last.conflist', '0.3.1'],
  ];

  test.each(chains)('%s: ADD, CHECK and DEL', async (_, file, version) => {
    const conflist = node.conflist(file);
    const result = node.chain('add', conflist);
    const address = result.ips?.[0].address.split('/')[0];
    expect(result).toMatchObject({
      cniVersion: version,
      interfaces: [{}, {}, { name: 'eth0', sandbox: node.netns }],
    });
    expect(node.inPod('ip', '-4', 'addr', 'show', 'eth0')).toContain(address);
    node.inPod('ping', '-c1', '-W30', result.ips[0].gateway);

    const [record] = node.scratch.records().filter(({ kind }) => kind === 'call');
    expect(record).toMatchObject({
      command: 'ADD',
      pod: { namespace: 'default', name: 'nginx' },
      findings: [],
    });
    expect(record.result).toEqual(result);
    expect(readFileSync(node.scratch.log, 'utf8')).toContain('\nCNI Command: ADD\nContainerID: pod1\n');

    if (version !== '0.3.1') expect(node.chain('check', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(node.chain('del', conflist)).toBeNull();
    expect(node.links(node.pod)).toEqual(['lo']);
    expect(node.links(node.node).filter((name) => name.startsWith('veth'))).toEqual([]);
    const [network = ''] = readdirSync(join(node.scratch.folder, 'leases'));
    const leases = readdirSync(join(node.scratch.folder, 'leases', network)).filter((name) =>
      /^[0-9]/.test(name),
    );
    expect(leases).toEqual([]);
    const calls = node.scratch.records().filter(({ kind }) => kind === 'call');
    expect(calls.map(({ command }) => command)).toEqual(
      version === '0.3.1' ? ['ADD', 'DEL', 'DEL'] : ['ADD', 'CHECK', 'DEL', 'DEL'],
    );
    expect(calls.filter(({ error }) => error)).toEqual([]);
  });

  test('the port of portmap behind debug reaches the pod', () => {
    const conflist = node.conflist('10-bridge-debug-portmap.conflist');
    const result = node.chain('add', conflist);
    const rules = node.onNode('iptables', '-t', 'nat', '-S');
    expect(rules).toContain(`--to-destination ${result.ips[0].address.split('/')[0]}:80`);
    node.chain('del', conflist);
    expect(node.onNode('iptables', '-t', 'nat', '-S')).not.toContain('--to-destination');
  });

  test('the wrapped plugin is recorded with all it was given and answered', () => {
    const result = node.chain('add', node.conflist('20-debug-wraps-bridge.conflist'));
    const [begin, call] = node.scratch.records();
    expect(begin).toMatchObject({ kind: 'begin', command: 'ADD' });
    expect(call).toMatchObject({ kind: 'call', id: begin.id });
    expect(call.delegates).toEqual([
      expect.objectContaining({
        type: 'bridge',
        command: 'ADD',
        argv: [expect.stringMatching(/\/bridge$/)],
        stdin: expect.objectContaining({ type: 'bridge', name: 'vietstack', cniVersion: '1.0.0' }),
        environment: expect.objectContaining({ CNI_COMMAND: 'ADD', CNI_IFNAME: 'eth0' }),
        status: 0,
        stderr: '',
      }),
    ]);
    expect(JSON.parse(call.delegates[0].stdout).ips).toEqual(result.ips);
  });

  test('CHECK names every difference at once', () => {
    const conflist = node.conflist('10-bridge-debug-portmap.conflist');
    const document = JSON.parse(conflist);
    // The reference bridge has a check of its own, and would speak first.
    document.plugins = document.plugins.filter(({ type }: { type: string }) => type === 'debug');
    const result = node.chain('add', conflist);
    node.inPod('ip', 'addr', 'flush', 'dev', 'eth0');
    node.inPod('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:01');
    const error = node.chain('check', JSON.stringify(document));
    expect(error.code).toBe(100);
    expect(error.msg).toContain('3 differences between prevResult and namespace');
    expect(error.msg).toContain(`"eth0" has 02:00:00:00:00:01, not ${result.interfaces[2].mac}`);
    expect(error.msg).toContain(`${result.ips[0].address} is no address of "eth0" in ${node.netns}`);
    expect(error.msg).toContain(`there is no route to 0.0.0.0/0 in ${node.netns}`);
    for (const plugin of document.plugins) plugin.validate = 'warn';
    expect(node.chain('check', JSON.stringify(document))).toBeNull();
    expect(node.scratch.records().at(-1).findings).toHaveLength(3);
  });
});
