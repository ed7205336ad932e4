import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seed } from '../../plugins/flannel/flannel.ts';
import { builtInPath } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { addressSeenBy, answersPing, Server } from '../packets.ts';
import { type Pod, Site } from '../site.ts';
import { difference, leaseLines } from '../snapshot.ts';
import { Places } from './places.ts';

// biome-ignore lint/suspicious/noExplicitAny: a conflist and an answer are read as JSON.
type Json = any;

let site: Site;
let places: Places;
beforeEach(() => {
  site = new Site();
  places = new Places(site.scratch.folder);
  writeFileSync(join(places.run, 'flannel/subnet.env'), seed.join('\n'));
});
afterEach(() => site[Symbol.dispose]());

/** What a file of conflists/ answered as it stands: a result, `null`, or an error. */
function chain(command: string, file: string, pod: Pod, capabilityArgs: object = {}): Json {
  const runtime = {
    ...{ containerID: pod.name, netns: pod.netns, ifName: 'eth0', args: '', timeoutMs: 60_000 },
    ...{ capabilityArgs, cniPath: builtInPath },
  };
  const list = readFileSync(join(import.meta.dir, '../../../conflists', file), 'utf8');
  const words = [join(import.meta.dir, '../chain-run.ts'), command, list, JSON.stringify(runtime)];
  return JSON.parse(site.onNode(...places.command(process.execPath, ...words)));
}

/** What attachments have on the node. */
function everything(): string[] {
  const states = join(places.varLib, 'cni/flannel');
  return [
    ...site.snapshot(),
    ...leaseLines(join(places.varLib, 'cni/networks')),
    ...(existsSync(states) ? readdirSync(states) : []).map((name) => `state ${name}`),
  ];
}

describe.if(requires('root', 'ip', 'nft', 'ping'))('a conf of nothing but name and type', () => {
  test('is a bridge in the subnet of flanneld', () => {
    const [one, two, warm] = [site.pod('one'), site.pod('two'), site.pod('warm')];
    chain('add', '81-flannel.conf', warm);
    chain('del', '81-flannel.conf', warm);
    const before = everything();
    expect(chain('add', '81-flannel.conf', one)).toEqual({
      cniVersion: '0.1.0',
      ip4: { ip: '192.168.22.131/26', gateway: '192.168.22.129', routes: [{ dst: '192.168.0.0/16' }] },
      dns: {},
    });
    const { ip4 } = chain('add', '81-flannel.conf', two);
    expect(answersPing(one.netns, ip4.ip.split('/')[0])).toBeTrue();
    expect(answersPing(one.netns, ip4.gateway)).toBeTrue();
    expect(site.inPod(one, 'ip', 'route')).toMatch(/^192\.168\.0\.0\/16 via 192\.168\.22\.129 dev eth0/m);
    expect(site.inPod(one, 'ip', 'route')).not.toContain('default');
    expect(site.inPod(one, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1450');
    expect(site.onNode('ip', '-4', '-o', 'addr', 'show', 'cni0')).toContain('192.168.22.129/26');
    for (const pod of [one, two]) expect(chain('del', '81-flannel.conf', pod)).toBeNull();
    expect(difference(before, everything())).toEqual([]);
    expect(chain('del', '81-flannel.conf', one)).toBeNull();
  });

  test('masquerades where flanneld does not', async () => {
    site.addOutside();
    const pod = site.pod('pod');
    chain('add', '81-flannel.conf', pod);
    site.inPod(pod, 'ip', 'route', 'add', '192.0.2.0/24', 'via', '192.168.22.129');
    using _server = await Server.start(site.outside);
    expect(addressSeenBy('192.0.2.2', pod.netns)).toBe('192.0.2.1');
  });
});

describe.if(requires('root', 'ip', 'nft', 'ping'))('the chain of flannel, debug and portmap', () => {
  const file = '80-flannel.conflist';
  const ports = { portMappings: [{ hostPort: 7000, containerPort: 7000, protocol: 'tcp' }] };
  const run = (command: string, pod: Pod, args: object = {}) => chain(command, file, pod, args);

  test('as it stands: packets, log, and nothing left', async () => {
    site.addOutside();
    const [one, two, warm] = [site.pod('one'), site.pod('two'), site.pod('warm')];
    run('add', warm, ports);
    run('del', warm, ports);
    const before = everything();

    const result = run('add', one, ports);
    expect(result).toMatchObject({
      cniVersion: '0.3.1',
      interfaces: [{ name: 'cni0' }, {}, { name: 'eth0', sandbox: one.netns }],
      ips: [{ version: '4', address: '192.168.22.131/26', gateway: '192.168.22.129', interface: 2 }],
      routes: [{ dst: '192.168.0.0/16' }, { dst: '0.0.0.0/0', gw: '192.168.22.129' }],
    });
    const other = run('add', two);
    expect(answersPing(one.netns, other.ips[0].address.split('/')[0])).toBeTrue();
    const routes = site.inPod(one, 'ip', 'route');
    expect(routes).toMatch(/^default via 192\.168\.22\.129 dev eth0/m);
    expect(routes).toMatch(/^192\.168\.0\.0\/16 via 192\.168\.22\.129 dev eth0/m);
    using _outside = await Server.start(site.outside);
    using _inside = await Server.start(one.netns);
    expect(addressSeenBy('192.0.2.2', one.netns)).toBe('192.0.2.1');
    expect(addressSeenBy('192.0.2.1', site.outside)).toBe('192.0.2.2');

    for (const [pod, args] of [
      [one, ports],
      [two, {}],
    ] as const)
      expect(run('del', pod, args)).toBeNull();
    expect(difference(before, everything())).toEqual([]);

    const log = readFileSync(join(places.tmp, 'cni_output.log'), 'utf8');
    const calls = [...log.matchAll(/^CNI Command: (\w+)\nContainerID: (\w+)$/gm)].map(([, ...call]) =>
      call.join(' '),
    );
    expect(calls).toEqual(['ADD warm', 'DEL warm', 'ADD one', 'ADD two', 'DEL one', 'DEL two']);
    const [, given = ''] = /^ContainerID: one\n(?:.*\n)*?StdinData: (.*)$/m.exec(log) ?? [];
    expect(JSON.parse(given)).toMatchObject({
      name: 'cbr0',
      cniVersion: '0.3.1',
      prevResult: { ips: result.ips },
    });
  });

  test('before flanneld has written its file: an error that says so, and nothing made', () => {
    const [pod, later] = [site.pod('pod'), site.pod('later')];
    writeFileSync(join(places.run, 'flannel/subnet.env'), `${seed[0]}\nFLANNEL_SUBN`);
    const before = everything();
    expect(run('add', pod)).toMatchObject({
      code: 11,
      msg: expect.stringContaining(
        'failed at plugin 1 of 3 ("flannel"): /run/flannel/subnet.env: FLANNEL_SUBNET or FLANNEL_IPV6_SUBNET is missing',
      ),
    });
    expect(difference(before, everything())).toEqual([]);
    writeFileSync(join(places.run, 'flannel/subnet.env'), seed.join('\n'));
    expect(run('add', later).ips).toHaveLength(1);
  });
});
