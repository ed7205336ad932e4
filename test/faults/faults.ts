import type { networks } from './fault-site.ts';

/** A way in which a node breaks, and who must say so. */
export interface Fault {
  /** In `scripts`. */
  readonly script: string;
  /** The command line of `cni-debug` that names it. */
  readonly by: string;
  /** The rule that it names first. */
  readonly rule: string;
  /** The network of the sound node, `lab` unless said. */
  readonly network?: keyof typeof networks;
}

/** What is younger may be of a container that just starts: here everything is. */
export const doctor = 'doctor --min-age 1ms';
const probe = 'probe web --to 192.0.2.2:7000';

const byDoctor = {
  'pool-leaked': 'D001',
  'pool-full': 'D002',
  'pool-nearly-full': 'D003',
  'lease-of-zero-bytes': 'D004',
  'cache-of-zero-bytes': 'D005',
  'cache-of-another-format': 'D005',
  'netns-gone': 'D006',
  'netns-replaced-by-file': 'D006',
  'lock-held': 'D007',
  'call-without-end': 'D008',
  'plugin-killed': 'D009',
  'plugin-prints-twice': 'D010',
  'plugin-output-cut-off': 'D010',
  'plugin-slow': 'D011',
  'prev-result-cut-off': 'D012',
  'node-restarted': 'D013',
  'plugin-missing': 'D014',
  'plugin-not-executable': 'D015',
  'plugin-of-another-machine': 'D015',
  'version-not-supported': 'D016',
  'conflist-cut-off': 'D017',
  'conflist-not-loaded': 'D017',
  'configuration-refused': 'D018',
  'orphaned-veth': 'D020',
  'nat-without-owner': 'D021',
  'reference-nat-without-owner': 'D022',
  'nat-flushed': 'D023',
  'masquerade-missing': 'D023',
  'host-port-flushed': 'D023',
  'address-twice': 'D024',
  'bridge-with-another-address': 'D025',
  'bridge-down': 'D026',
  'mtu-off-by-50': 'D027',
  'forwarding-off': 'D028',
  'reverse-path-filter': 'D029',
  'bridge-netfilter-drops': 'D030',
  'forward-policy-drop': 'D031',
  'forward-policy-drop-of-iptables': 'D031',
  'forward-rule-drops': 'D031',
  'container-link-down': 'D033',
  'container-route-missing': 'D033',
  'host-port-taken': 'D035',
  'not-tracked': 'D036',
};

const byProbe = {
  'forward-policy-drop': 'P001',
  'forward-policy-drop-of-iptables': 'P001',
  'forward-rule-drops': 'P001',
  'forwarding-off': 'P002',
  'reverse-path-filter': 'P003',
  'container-route-missing': 'P004',
  'no-route-on-node': 'P004',
  'masquerade-missing': 'P005',
  'not-tracked': 'P005',
  'gateway-silent': 'P006',
  'path-mtu-smaller': 'P007',
  'resolver-nowhere': 'P008',
  'resolver-none': 'P009',
  'connection-refused': 'P010',
  'host-port-flushed': 'P011',
  'container-link-down': 'P013',
  'route-blackhole': 'P015',
  'container-firewall': 'P001',
};

/** Nothing of them is left on the node but what `debug` wrote down. */
export const onlyRecorded: readonly string[] = [
  'plugin-killed',
  'plugin-prints-twice',
  'plugin-output-cut-off',
  'prev-result-cut-off',
  'call-without-end',
  'plugin-slow',
];

export const doctorFaults: readonly Fault[] = [
  ...Object.entries(byDoctor).map(([script, rule]) => ({ script, by: doctor, rule })),
  { script: 'peer-route-missing', by: doctor, rule: 'D034', network: 'routed' },
];

export const probeFaults: readonly Fault[] = [
  ...Object.entries(byProbe).map(([script, rule]) => ({ script, by: probe, rule })),
  { script: 'name-unknown', by: 'probe web --to files:7000', rule: 'P016' },
  { script: 'return-route-missing', by: probe, rule: 'P014', network: 'routed' },
];

/** What `trace` and `explain` show of one: they draw everything, and mark what is not as it should be. */
export const drawnFaults = [
  {
    script: 'plugin-killed',
    by: 'trace crash',
    mark: /^\s+error 101: plugin "dies" \(\/opt\/cni\/bin\/dies\) was killed by SIGKILL during\s+ADD/m,
  },
  {
    script: 'plugin-prints-twice',
    by: 'trace double',
    mark: /^\s+error 101: .*"twice".*printed\s+two JSON/ms,
  },
  { script: 'plugin-slow', by: 'trace slow', mark: /^\*\s+ipam ADD waits .* 5\.\d+ s$/m },
  {
    script: 'container-route-missing',
    by: 'explain web',
    mark: /^ {2}differs {4}result\.routes\[0\]: there is no route to 0\.0\.0\.0\/0/m,
  },
  { script: 'container-link-down', by: 'explain web', mark: /^ {2}container {2}eth0: down/m },
] as const;
