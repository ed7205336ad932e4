import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable, run } from '../../program.ts';

const noon = Date.parse('2026-11-20T12:00:00.000Z');

/** A line of a journal; `at` is in ms since noon. */
export function journalLine({ at = 0, ...fields }: { at?: number; [field: string]: unknown }): string {
  const startedAt = new Date(noon + at).toISOString();
  return JSON.stringify({
    ...{ level: 30, time: startedAt, v: 1, kind: 'call', plugin: 'debug', command: 'ADD', network: 'lab' },
    ...{ startedAt, duration: 10, boot: 'one', process: { pid: 812, ppid: 640, parent: 'containerd' } },
    ...fields,
  });
}

const step = (name: string, at: number, duration: number, error?: string) => ({ name, at, duration, error });

const attachment = (containerID: string, ifName = 'eth0') => ({
  attachment: { containerID, ifName, netns: `/var/run/netns/cni-${containerID.slice(0, 8)}` },
});

const shop = {
  ...attachment('9f4c1d7be2a04f6c8d3a5b1e7c9d2f40'),
  pod: { namespace: 'shop', name: 'checkout-7d9f6b', uid: '5b7a' },
};

const bridged = (address: string) => ({
  cniVersion: '1.1.0',
  interfaces: [
    { name: 'br-lab', mac: '3a:9c:41:07:be:11', mtu: 1500 },
    { name: 'veth5d898139819', mac: '0e:11:9a:54:c7:02', mtu: 1500 },
    { name: 'eth0', mac: '76:0c:de:5a:91:3b', mtu: 1500, sandbox: '/var/run/netns/cni-9f4c1d7b' },
  ],
  ips: [{ address, gateway: '10.22.0.1', interface: 2 }],
  routes: [{ dst: '0.0.0.0/0' }],
});

const tuned = (address: string) => {
  const result = bridged(address);
  return {
    ...result,
    interfaces: result.interfaces.map((one) => (one.name === 'eth0' ? { ...one, mtu: 1400 } : one)),
    routes: [...result.routes, { dst: '10.96.0.0/12', gw: '10.22.0.1' }],
    dns: { nameservers: ['10.96.0.10'] },
  };
};

const trace = (traceID: string, parentID: string) => ({ trace: { traceID, spanID: parentID, parentID } });
const traceOfAdd = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceOfRetry = '7d1f0e5a6b3c4d2e9f8a7b6c5d4e3f21';

const bridge = { type: 'bridge', bridge: 'br-lab', isGateway: true, ipMasq: true };
const portmap = { type: 'portmap', capabilities: { portMappings: true } };
const cniOutput = false;
const name = 'lab';

/** The first call of the chain: `debug` with bridge and portmap inside of it. */
const wrapping = (address: string, duration: number, stretch = 1) => ({
  configuration: { cniVersion: '1.1.0', name, type: 'debug', cniOutput, delegate: [bridge, portmap] },
  duration,
  steps: [
    step('delegate ADD bridge', 2.1 * stretch, 31.6 * stretch),
    step('bridge: wait for the lease lock', 2.9 * stretch, 9.4 * stretch),
    step('bridge: take addresses', 12.4 * stretch, 1.9 * stretch),
    step('bridge: read all leases', 12.6 * stretch, 0.8 * stretch),
    step(
      'bridge: get link "br-lab"',
      14.4 * stretch,
      0.3 * stretch,
      'get link "br-lab": No such device (ENODEV)',
    ),
    step('bridge: create bridge "br-lab"', 14.8 * stretch, 0.9 * stretch),
    step(
      'bridge: create veth "veth5d898139819" with peer "eth0", master "br-lab"',
      16 * stretch,
      7.2 * stretch,
    ),
    step('bridge: set net/ipv4/ip_forward to 1', 23.4 * stretch, 0.1),
    step('bridge: set net/ipv6/conf/eth0/accept_dad to 0', 23.6 * stretch, 0.1),
    step('bridge: set net/ipv4/conf/eth0/arp_notify to 1', 23.8 * stretch, 0.1),
    step('bridge: get link "eth0"', 24 * stretch, 0.1),
    step(`bridge: add ${address} to "eth0"`, 24.3 * stretch, 2.2 * stretch),
    step('bridge: add route 0.0.0.0/0 via 10.22.0.1 dev "eth0"', 27 * stretch, 3.1 * stretch),
    step('delegate ADD portmap', 34 * stretch, 3.7 * stretch),
    step('portmap: find the route to 10.22.0.5', 34.4 * stretch, 0.6 * stretch),
    step('portmap: set net/ipv4/conf/br-lab/route_localnet to 1', 35.2 * stretch, 1.4 * stretch),
    step('commit 10 changes of nftables', 38 * stretch, 4.2 * stretch),
  ],
  delegates: [
    {
      ...{ type: 'bridge', command: 'ADD', inProcess: true, at: 2.1 * stretch, duration: 31.5 * stretch },
      stdin: { ...bridge, cniVersion: '1.1.0', name },
    },
    {
      ...{ type: 'portmap', command: 'ADD', inProcess: true, at: 34 * stretch, duration: 3.6 * stretch },
      stdin: { ...portmap, cniVersion: '1.1.0', name, prevResult: bridged(address) },
    },
  ],
  result: bridged(address),
});

const tuning = {
  type: 'debug',
  cniVersion: '1.1.0',
  name,
  cniOutput,
  external: true,
  delegate: { type: 'tuning', mtu: 1400 },
};

/** A chain of three that fails at the second, is taken back, and works the second time. */
export const shopLines = [
  journalLine({
    ...shop,
    ...trace(traceOfAdd, 'a1'),
    id: 'a000000000000001',
    ...wrapping('10.22.0.5/16', 44.6),
  }),
  journalLine({
    ...{ ...shop, ...trace(traceOfAdd, 'a2'), id: 'a000000000000002', at: 62, duration: 128.4, level: 50 },
    ...{ configuration: tuning, prevResult: bridged('10.22.0.5/16') },
    steps: [
      step('check prevResult', 0.9, 2.4),
      step('compare with namespace', 3.5, 4.1),
      step(
        'delegate ADD tuning',
        8.2,
        118.9,
        'tuning: failed to set "eth0" mtu to 1400: operation not permitted',
      ),
    ],
    findings: [
      {
        rule: 'other-mac',
        object: 'prevResult.interfaces[2]',
        message: 'prevResult.interfaces[2].mac: "eth0" has 76:0c:de:5a:91:3c, not 76:0c:de:5a:91:3b',
      },
    ],
    delegates: [
      {
        ...{
          type: 'tuning',
          command: 'ADD',
          argv: ['/opt/cni/bin/tuning'],
          at: 8.9,
          duration: 117.8,
          status: 1,
          pid: 824,
        },
        stdin: { type: 'tuning', mtu: 1400, cniVersion: '1.1.0', name, prevResult: bridged('10.22.0.5/16') },
        stdout: '{"code":999,"msg":"failed to set \\"eth0\\" mtu to 1400: operation not permitted"}\n',
        stderr: 'tuning: netlink: operation not permitted\n',
        failure: 'tuning: failed to set "eth0" mtu to 1400: operation not permitted',
      },
    ],
    error: {
      code: 999,
      msg: 'tuning: failed to set "eth0" mtu to 1400: operation not permitted',
      details: 'record a000000000000002 in /var/log/cni-debug/journal.ndjson',
    },
  }),
  journalLine({
    ...{
      ...shop,
      ...trace(traceOfAdd, 'a3'),
      id: 'a000000000000003',
      at: 214,
      command: 'DEL',
      duration: 6.2,
    },
    ...{ configuration: tuning, prevResult: {} },
  }),
  journalLine({
    ...{
      ...shop,
      ...trace(traceOfAdd, 'a4'),
      id: 'a000000000000004',
      at: 229,
      command: 'DEL',
      duration: 27.3,
    },
    steps: [
      step('delegate DEL bridge', 1.4, 25),
      step('bridge: delete link "veth5d898139819"', 2, 18),
      step('bridge: release addresses', 21, 1.1),
    ],
    delegates: [{ type: 'bridge', command: 'DEL', inProcess: true, at: 1.4, duration: 24.9, stdin: bridge }],
    configuration: { cniVersion: '1.1.0', name, type: 'debug', cniOutput, delegate: [bridge, portmap] },
  }),
  journalLine({
    ...shop,
    ...trace(traceOfRetry, 'a5'),
    at: 4_310,
    id: 'a000000000000005',
    ...wrapping('10.22.0.6/16', 40, 0.9),
  }),
  journalLine({
    ...{
      ...shop,
      ...trace(traceOfRetry, 'a6'),
      id: 'a000000000000006',
      at: 4_361,
      kind: 'begin',
      duration: undefined,
    },
    ...{ configuration: tuning, prevResult: bridged('10.22.0.6/16') },
  }),
  journalLine({
    ...{ ...shop, ...trace(traceOfRetry, 'a6'), id: 'a000000000000006', at: 4_361, duration: 21.8 },
    ...{ configuration: tuning, prevResult: bridged('10.22.0.6/16'), result: tuned('10.22.0.6/16') },
    steps: [step('check prevResult', 0.9, 2.2), step('delegate ADD tuning', 4, 15.6)],
    delegates: [
      {
        ...{
          type: 'tuning',
          command: 'ADD',
          argv: ['/opt/cni/bin/tuning'],
          at: 4.4,
          duration: 14.9,
          status: 0,
        },
        stdin: { type: 'tuning', mtu: 1400, cniVersion: '1.1.0', name, prevResult: bridged('10.22.0.6/16') },
        stdout: JSON.stringify(tuned('10.22.0.6/16')),
      },
    ],
  }),
];

/** What nobody would call a pod, and a number that a double would change. */
export const evil = '</script><script>alert(1)</script>--><img src=x onerror=alert(2)>\u2028\u0000\u202e"\'&';

export const evilLines = [
  journalLine({
    ...{ id: 'e000000000000001', at: -60_000, duration: 12, level: 50, plugin: evil, network: evil },
    ...{ attachment: { containerID: evil, ifName: evil, netns: evil }, pod: { namespace: evil, name: evil } },
    steps: [
      step(`delegate ADD ${evil}`, 1, 2, evil),
      step(`hook ${evil}`, 4, 2, evil),
      step(evil, 7, 2, evil),
    ],
    delegates: [
      { type: evil, command: 'ADD', failure: evil, stdout: evil, stderr: evil, at: 1, duration: 2 },
    ],
    hooks: [{ argv: [evil], failure: evil, stdout: evil }],
    findings: [{ rule: evil, object: evil, message: evil }],
    error: { code: 7, msg: evil, details: evil },
    configuration: { [evil]: evil },
    prevResult: { ips: [{ address: evil }] },
    result: { ips: [{ address: evil }, { address: '10.0.0.1' }], [evil]: 1 },
    trace: { traceID: evil, spanID: evil, parentID: evil },
  }).replace('"level":50', '"level":50,"big":9007199254740993,"exact":1.0'),
  journalLine({
    ...{ id: 'e000000000000002', at: -30_000, kind: 'begin', duration: undefined, boot: 'before' },
    ...{ attachment: { containerID: 'b1', ifName: 'eth0' }, command: 'ADD' },
  }),
];

/** A folder of its own with a journal, and the pages that are made of it. For `using`. */
export class PageFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  readonly journal = join(this.path, 'journal.ndjson');

  constructor(readonly lines: readonly string[]) {
    writeFileSync(this.journal, lines.map((line) => `${line}\n`).join(''));
  }

  /** Runs `cni-debug trace`, at noon's place of the world. */
  trace(...words: string[]) {
    const environment = { TZ: 'Europe/Berlin' };
    return run([executable.BIN, 'trace', '--journal', this.journal, ...words], { environment });
  }

  /** The path of a page. Throws when it was not made. */
  async page(...words: string[]): Promise<string> {
    const file = join(this.path, 'page.html');
    const answer = await this.trace('--html', file, ...words);
    if (answer.status !== 0) throw new Error(JSON.stringify(answer));
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
