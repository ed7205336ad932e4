/** What may differ in a record that is made; see plugins/debug/README.md for all of it. */
export interface MadeRecord {
  readonly kind?: 'begin' | 'call';
  readonly id?: string;
  readonly startedAt?: Date;
  /** ms */
  readonly duration?: number;
  readonly command?: string;
  readonly network?: string;
  readonly containerID?: string;
  readonly pod?: { namespace: string; name: string };
  readonly address?: string;
  readonly error?: { code: number; msg: string; details?: string };
  /** Anything else, in place of what there would be. */
  readonly more?: Record<string, unknown>;
}

/** The time of the first of the records that are made. */
export const firstMade = new Date('2026-11-20T10:00:00.000Z');

/** A record as `debug` writes it in a chain behind bridge, without its line break: always the same for a number. */
export function journalLine(number: number, made: MadeRecord = {}): string {
  const { kind = 'call', command = number % 2 === 0 ? 'ADD' : 'DEL', network = 'lab' } = made;
  const { duration = 1 + (number % 50), containerID = containerIDOf(number), error } = made;
  const { startedAt = new Date(firstMade.getTime() + number * 1000) } = made;
  const pod = made.pod ?? { namespace: 'default', name: `web-${number >> 1}` };
  const address = made.address ?? `10.22.${(number >> 8) & 255}.${number & 255}/16`;
  const netns = `/var/run/netns/cni-${containerID.slice(0, 8)}`;
  const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_INFRA_CONTAINER_ID=${containerID}`;
  const result = {
    cniVersion: '1.0.0',
    interfaces: [
      { name: 'cni0', mac: '5e:3a:9f:00:00:01' },
      { name: `veth${containerID.slice(0, 8)}`, mac: '5e:3a:9f:00:00:02' },
      { name: 'eth0', mac: '0a:58:0a:16:00:05', sandbox: netns },
    ],
    ips: [{ address, gateway: '10.22.0.1', interface: 2 }],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const ended = new Date(startedAt.getTime() + (kind === 'call' ? duration : 0));
  const record = {
    level: error === undefined ? 30 : 50,
    ...{
      time: ended.toISOString(),
      v: 1,
      kind,
      id: made.id ?? hex(number + 0x5eed, 16),
      startedAt: startedAt.toISOString(),
    },
    ...{ plugin: 'debug', command, network, cniVersion: '1.0.0' },
    attachment: { containerID, ifName: 'eth0', netns },
    pod: { ...pod, infraContainerID: containerID },
    environment: {
      ...{ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', CNI_PATH: '/opt/cni/bin' },
      ...{
        CNI_CONTAINERID: containerID,
        CNI_NETNS: netns,
        CNI_IFNAME: 'eth0',
        CNI_ARGS: args,
        CNI_COMMAND: command,
      },
    },
    configuration: { type: 'debug', cniOutput: false, cniVersion: '1.0.0', name: network },
    prevResult: result,
    process: { pid: 4_000_000 + number, ppid: 812, parent: 'containerd' },
    boot: '08708fcc-ee6d-4ad0-9fb7-44f4e1c3a701',
    ...(kind === 'call' ? outcome(duration, error, command === 'ADD' ? result : undefined) : {}),
    msg: `${command} ${network} eth0 ${pod.namespace}/${pod.name}: ${kind === 'begin' ? 'begins' : (error?.msg ?? address)}`,
    ...made.more,
  };
  return JSON.stringify(record);
}

/** 64 hex digits, as container runtimes give them; two records each, the ADD and the DEL. */
export function containerIDOf(number: number): string {
  return hex(number >> 1, 64);
}

function outcome(duration: number, error: MadeRecord['error'], result: object | undefined) {
  const steps = [{ name: 'check prevResult', at: 0.4, duration: Math.min(0.5, duration) }];
  return { duration, steps, findings: [], hooks: [], delegates: [], error, result };
}

/** Digits that look like chance (Knuth's multiplicative hash), and never differ. */
function hex(number: number, length: number): string {
  let digits = '';
  for (let round = 1; digits.length < length; round += 1)
    digits += (Math.imul(number + round * 7919, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
  return digits.slice(0, length);
}
