import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { parseCidr } from '../../src/cni/address.ts';
import type { HostPlace } from '../../src/lint/host-network.ts';
import { everyVersion, plugin, type Site } from './site.ts';

export interface RuleCase {
  readonly bad: Site;
  /** The same, mended. */
  readonly sound: Site;
  /** What else the bad one is found guilty of, above info. */
  readonly also?: readonly string[];
  /** Part of the mend that is named. */
  readonly fix: string;
}

const list = (...plugins: string[]) =>
  `{ "cniVersion": "1.0.0", "name": "net", "plugins": [\n${plugins.join(',\n')}\n] }`;
const named = (name: string, ...plugins: string[]) => list(...plugins).replace('"net"', `"${name}"`);
const one = (plugin: string): Site => ({ files: { '10-net.conflist': list(plugin) } });
const several = (...plugins: string[]): Site => ({ files: { '10-net.conflist': list(...plugins) } });
const both = (first: string, second: string): Site => ({
  files: { '10-a.conflist': first, '20-b.conflist': second },
});
const loopback = '{ "type": "loopback" }';
const portmap = '{ "type": "portmap", "capabilities": { "portMappings": true } }';
const bridge = (keys = '') => `{ "type": "bridge"${keys === '' ? '' : `, ${keys}`} }`;
const hostLocal = (range: string) => `"ipam": { "type": "host-local", "ranges": [[{ ${range} }]] }`;
const place = (cidr: string, link: string, kind?: string): HostPlace => ({
  cidr: parseCidr(cidr)!,
  link,
  kind,
  text: `the address ${cidr} of "${link}"`,
});
const onNode = (keys: string, ...host: HostPlace[]): Site => ({ ...one(bridge(keys)), plugins: all, host });
const all = {
  bridge: plugin(...everyVersion),
  'host-local': plugin(...everyVersion),
  loopback: plugin(...everyVersion),
};
const withPlugin = (script: string, text = one(loopback).files): Site => ({
  files: text,
  plugins: { loopback: script },
});

/** By the rule's ID. */
export const ruleCases: Readonly<Record<string, RuleCase>> = {
  L001: {
    bad: { files: { '10-net.conflist': list(`{ "type": "loopback"‸, }`) } },
    sound: one(loopback),
    also: ['L032'],
    fix: 'remove the comma',
  },
  L002: {
    bad: one(bridge('"mtu": 1400, ‸"mtu": 1500')),
    sound: one(bridge('"mtu": 1500')),
    fix: 'remove one',
  },
  L003: {
    bad: {
      files: {
        '10-net.conflist': list(loopback),
        '20-pipe.conflist': (path) => spawnSync('mkfifo', [path]),
      },
    },
    sound: one(loopback),
    fix: 'rm 20-pipe.conflist',
  },
  L004: {
    bad: {
      files: { '10-net.conf': list(loopback).replace('"plugins"', '‸"plugins"') },
      single: '10-net.conf',
    },
    sound: one(loopback),
    fix: 'mv 10-net.conf 10-net.conflist',
  },
  L005: {
    bad: { files: { '10-net.conflist': list('‸{ "bridge": "cni0" }') }, single: '10-net.conflist' },
    sound: one(bridge('"bridge": "cni0"')),
    fix: 'the name of its executable',
  },
  L006: {
    bad: one(bridge('‸"isGatway": true')),
    sound: one(bridge('"isGateway": true')),
    fix: 'write "isGateway"',
  },
  L007: {
    bad: one(bridge('‸"hairpinmode": true')),
    sound: one(bridge('"hairpinMode": true')),
    fix: 'write "hairpinMode"',
  },
  L008: {
    bad: one(bridge('"mtu": ‸"1500"')),
    sound: one(bridge('"mtu": 1500')),
    fix: 'write 1500, without quotes',
  },
  L009: {
    bad: one(bridge('"vlan": ‸5000')),
    sound: one(bridge('"vlan": 500')),
    fix: 'plugins/bridge/README.md',
  },
  L010: {
    bad: {
      files: { '10-net.conflist': list(loopback).replace('"1.0.0"', '‸"1.0"') },
      single: '10-net.conflist',
    },
    sound: one(loopback),
    fix: '1.0.0',
  },
  L011: {
    bad: { files: { '10-net.conflist': `‸{ "name": "net", "plugins": [${loopback}] }` } },
    sound: one(loopback),
    fix: 'add "cniVersion"',
  },
  L012: {
    bad: { files: { '10-net.conflist': list('{ "type": ‸"loopback" }') }, plugins: {} },
    sound: withPlugin(plugin(...everyVersion)),
    fix: 'put the executable "loopback" into BIN',
  },
  L013: {
    bad: {
      ...withPlugin(plugin(...everyVersion), { '10-net.conflist': list('{ "type": ‸"loopback" }') }),
      prepare: (_, bin) => chmodSync(`${bin}/loopback`, 0o644),
    },
    sound: withPlugin(plugin(...everyVersion)),
    fix: 'chmod +x BIN/loopback',
  },
  L014: {
    bad: withPlugin('#!/bin/sh\nkill -SEGV $$\n', { '10-net.conflist': list('{ "type": ‸"loopback" }') }),
    sound: withPlugin(plugin(...everyVersion)),
    fix: 'CNI_COMMAND=VERSION BIN/loopback',
  },
  L015: {
    bad: withPlugin(plugin('0.3.1', '0.4.0'), { '10-net.conflist': list('{ "type": ‸"loopback" }') }),
    sound: withPlugin(plugin('0.4.0', '1.0.0')),
    fix: 'set "cniVersion": "0.4.0"',
  },
  L016: {
    bad: several(bridge(), '{ "type": ‸"portmap" }'),
    sound: several(bridge(), portmap),
    fix: 'add "capabilities": { "portMappings": true }',
  },
  L017: {
    bad: one(bridge('"capabilities": { ‸"MAC": true }')),
    sound: one(bridge('"capabilities": { "mac": true }')),
    fix: 'write "mac"',
  },
  L018: {
    bad: one(bridge(`"disableContainerInterface": true, ‸${hostLocal('"subnet": "10.1.0.0/16"')}`)),
    sound: one(bridge('"disableContainerInterface": true')),
    fix: 'remove one of the two',
  },
  L019: {
    bad: one('{ "type": ‸"ptp" }'),
    sound: one(`{ "type": "ptp", ${hostLocal('"subnet": "10.1.0.0/16"')} }`),
    fix: 'add "ipam"',
  },
  L020: {
    bad: both(
      named('a', bridge(`"bridge": "a0", ${hostLocal('"subnet": "10.1.0.0/16"')}`)),
      named('b', bridge(`"bridge": "b0", ${hostLocal('"subnet": ‸"10.1.2.0/24"')}`)),
    ),
    sound: both(
      named('a', bridge(`"bridge": "a0", ${hostLocal('"subnet": "10.1.0.0/16"')}`)),
      named('b', bridge(`"bridge": "b0", ${hostLocal('"subnet": "10.2.2.0/24"')}`)),
    ),
    fix: 'another subnet',
  },
  L021: {
    bad: onNode(hostLocal('"subnet": ‸"10.1.0.0/16"'), place('10.1.9.9/24', 'eth0')),
    sound: onNode(
      hostLocal('"subnet": "10.1.0.0/16"'),
      place('10.1.0.1/16', 'cni0', 'bridge'),
      place('10.2.0.1/16', 'eth0'),
    ),
    fix: 'take a subnet',
  },
  L022: {
    bad: one(bridge(hostLocal('"subnet": "10.1.0.0/16", "gateway": ‸"10.2.0.1"'))),
    sound: one(bridge(hostLocal('"subnet": "10.1.0.0/16", "gateway": "10.1.0.1"'))),
    fix: 'take an address of 10.1.0.0/16',
  },
  L023: {
    bad: one(bridge(hostLocal('"subnet": "10.1.0.0/16", "rangeStart": ‸"10.2.0.9"'))),
    sound: one(bridge(hostLocal('"subnet": "10.1.0.0/16", "rangeStart": "10.1.0.9"'))),
    fix: 'take an address of 10.1.0.0/16',
  },
  L024: {
    bad: both(
      named('a', bridge(`"isGateway": true, ${hostLocal('"subnet": "10.1.0.0/16"')}`)),
      named('b', bridge(`"isGateway": true, ${hostLocal('"subnet": ‸"10.2.0.0/16"')}`)),
    ),
    sound: both(
      named('a', bridge(`"isGateway": true, ${hostLocal('"subnet": "10.1.0.0/16"')}`)),
      named('b', bridge(`"bridge": "b0", "isGateway": true, ${hostLocal('"subnet": "10.2.0.0/16"')}`)),
    ),
    fix: 'name another "bridge"',
  },
  L025: {
    bad: both(named('a', loopback), named('a', loopback).replace('"a"', '‸"a"')),
    sound: both(named('a', loopback), named('b', loopback)),
    fix: 'another name',
  },
  L026: {
    bad: both(`‸${named('a', loopback)}`, named('b', loopback)),
    sound: one(loopback),
    fix: 'the lowest number',
  },
  L027: {
    bad: { files: { '10-net.bak.conflist': `‸${list(loopback)}` } },
    sound: { files: { '10-net.conflist': list(loopback) } },
    fix: 'mv 10-net.bak.conflist 10-net.bak.conflist.bak',
  },
  L028: {
    bad: { files: { '10-net.conflist': list(loopback), '10-net.conf~': `‸${loopback}` } },
    sound: { files: { '10-net.conflist': list(loopback), 'README.md': 'not meant to be loaded' } },
    fix: 'remove it',
  },
  L029: {
    bad: {
      files: { '10-net.conflist': `‸${list(loopback)}` },
      plugins: all,
      prepare: (folder) => chmodSync(`${folder}/10-net.conflist`, 0o666),
    },
    sound: { ...one(loopback), plugins: all },
    fix: 'chmod go-w 10-net.conflist',
  },
  L030: {
    bad: {
      files: { '10-net.conflist': list('{ "type": ‸"loopback" }') },
      plugins: all,
      prepare: (_, bin) => chmodSync(`${bin}/loopback`, 0o777),
    },
    sound: { ...one(loopback), plugins: all },
    fix: 'chmod go-w BIN/loopback',
  },
  L031: {
    bad: several(portmap.replace('"portmap"', '‸"portmap"'), bridge()),
    sound: several(bridge(), portmap),
    fix: 'behind the plugin that makes the interface',
  },
  L032: {
    bad: { files: { 'README.md': 'nothing yet' } },
    sound: one(loopback),
    fix: 'put the configuration of a network here',
  },
  L033: {
    bad: several(loopback, '{ "type": "debug", "allowFaults": ‸true }'),
    sound: several(loopback, '{ "type": "debug" }'),
    fix: 'remove "allowFaults" and "fault"',
  },
};

/** For sites of other tests. */
export const texts = { list, named, bridge, hostLocal, loopback, portmap };

/** A link that leads nowhere, for the same. */
export function brokenLink(path: string): void {
  symlinkSync('/nonexistent/cni', path);
}

export function sized(bytes: number): (path: string) => void {
  return (path) => writeFileSync(path, '['.repeat(bytes));
}
