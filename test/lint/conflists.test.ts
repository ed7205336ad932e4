import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { look } from './site.ts';

const folder = join(import.meta.dir, '..', '..', 'conflists');

test.each(readdirSync(folder))('%s is sound', async (name) => {
  const { findings } = await look({
    files: { [name]: readFileSync(join(folder, name), 'utf8') },
    single: name,
  });
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
});

/** The configurations of the write-ups that this project grows from. */
const seeds: [string, string, string][] = [
  [
    'a debug plugin in a flannel chain',
    '10-flannel.conflist',
    `{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
        { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
        { "type": "debug", "cniOutput": "/tmp/cni_output.log" },
        { "type": "portmap", "capabilities": { "portMappings": true } } ] }`,
  ],
  [
    'a bridge by itself',
    '10-mynet.conf',
    `{ "cniVersion": "0.2.0", "name": "mynet", "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
       "ipam": { "type": "host-local", "subnet": "10.22.0.0/16", "routes": [{ "dst": "0.0.0.0/0" }] } }`,
  ],
  ['loopback without a name', '99-loopback.conf', '{"type":"loopback"}'],
  [
    'a macvlan',
    '10-macvlan.conf',
    `{ "name": "lan", "type": "macvlan", "master": "eth0",
       "ipam": { "type": "host-local", "subnet": "172.17.0.0/16", "routes": [{ "dst": "0.0.0.0/0" }] } }`,
  ],
  ['flannel that says nothing', '10-flannel.conf', '{"name":"mynet","type":"flannel"}'],
  [
    'a second interface for a running container',
    '10-vietstack.conf',
    `{ "cniVersion": "0.3.1", "name": "vietstack", "type": "debug", "delegate": { "type": "bridge", "bridge": "cni1",
       "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.23.0.0/16" }]] } } }`,
  ],
  [
    'per-node subnets',
    '10-humanz.conf',
    `{"cniVersion":"0.3.1","name":"humanz-cni","type":"humanz-cni","bridge":"humanz-cni0","network":"100.100.0.0/16","subnet":"100.100.0.0/24"}`,
  ],
  [
    'a bash plugin',
    '09-nppnet.conflist',
    `{ "cniVersion": "1.0.0", "name": "nppnet", "plugins": [
       { "type": "nppnet", "bridge": "cni0", "network": "10.240.0.0/16", "subnet": "10.240.1.0/24" } ] }`,
  ],
];

test.each(seeds)('%s is sound', async (_, name, text) => {
  const { findings } = await look({ files: { [name]: text } });
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
});

/** As installers write them. */
const installed: [string, string][] = [
  [
    'k3s',
    `{ "name": "cbr0", "cniVersion": "1.0.0", "plugins": [
        { "type": "flannel", "delegate": { "hairpinMode": true, "forceAddress": true, "isDefaultGateway": true } },
        { "type": "portmap", "capabilities": { "portMappings": true } },
        { "type": "bandwidth", "capabilities": { "bandwidth": true } } ] }`,
  ],
  [
    'kind',
    `{ "cniVersion": "0.3.1", "name": "kindnet", "plugins": [
        { "type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": { "type": "host-local", "dataDir": "/run/cni-ipam-state",
          "routes": [{ "dst": "0.0.0.0/0" }], "ranges": [[{ "subnet": "10.244.0.0/24" }]] } },
        { "type": "portmap", "capabilities": { "portMappings": true } } ] }`,
  ],
  [
    'Podman',
    `{ "cniVersion": "0.4.0", "name": "podman", "plugins": [
        { "type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
          "ipam": { "type": "host-local", "routes": [{ "dst": "0.0.0.0/0" }],
            "ranges": [[{ "subnet": "10.88.0.0/16", "gateway": "10.88.0.1" }]] } },
        { "type": "portmap", "capabilities": { "portMappings": true } }, { "type": "firewall" }, { "type": "tuning" } ] }`,
  ],
  [
    'containerd',
    `{ "cniVersion": "1.0.0", "name": "containerd-net", "plugins": [
        { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "promiscMode": true,
          "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.0.0/16" }], [{ "subnet": "2001:db8:4860::/64" }]],
            "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }] } },
        { "type": "portmap", "capabilities": { "portMappings": true } } ] }`,
  ],
  [
    'Calico',
    `{ "name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [
        { "type": "calico", "log_level": "info", "mtu": 0, "ipam": { "type": "calico-ipam", "assign_ipv4": "true" },
          "policy": { "type": "k8s" }, "kubernetes": { "kubeconfig": "/etc/cni/net.d/calico-kubeconfig" } },
        { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } },
        { "type": "bandwidth", "capabilities": { "bandwidth": true } } ] }`,
  ],
  [
    'Cilium',
    `{ "cniVersion": "0.3.1", "name": "cilium", "plugins": [
        { "type": "cilium-cni", "enable-debug": false, "log-file": "/var/run/cilium/cilium-cni.log" } ] }`,
  ],
];

test.each(installed)('what %s installs is sound', async (_, text) => {
  const { findings } = await look({ files: { '10-net.conflist': text } });
  expect(findings).toEqual([]);
});
