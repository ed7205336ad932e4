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
