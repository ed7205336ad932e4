import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  type ConntrackFilter,
  decodeConnection,
  flushConntrack,
  openConntrack,
} from '../../../src/kernel/netlink/conntrack.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const IPCTNL_MSG_CT_NEW = 0x100;
const captured = capturedPayloads('connections', IPCTNL_MSG_CT_NEW);

test('captured connections', () => {
  const found = captured.map(decodeConnection).map((connection) => ({ ...connection, name: undefined }));
  const common = { protocol: 17, destinationPort: 53, name: undefined };
  expect(found).toEqual(
    expect.arrayContaining([
      { ...common, family: 4, destination: '192.0.2.53' },
      { ...common, family: 6, destination: 'fd00:99::53' },
    ]) as never,
  );
  expect(found.length).toBe(2);
});

test('other families are left out', () => {
  const bridge = Buffer.from(captured[0]!);
  bridge[0] = 7;
  expect(decodeConnection(bridge)).toBeUndefined();
});

test('mutated connections', () => {
  expectNoCrash(captured, decodeConnection);
});

describe.if(requires('root', 'ip', 'conntrack'))('the connections of a namespace', () => {
  let scratch: ScratchNamespace;
  beforeEach(() => {
    scratch = scratchNamespace();
    for (const [protocol, destination, port] of [
      ['udp', '192.0.2.1', 53],
      ['udp', '192.0.2.2', 53],
      ['udp', 'fd00:99::1', 53],
      ['udp', '192.0.2.1', 54],
      ['tcp', '192.0.2.1', 53],
    ] as const) {
      const source = destination.includes(':') ? 'fd00:99::9' : '192.0.2.9';
      const words = `-I -p ${protocol} -s ${source} -d ${destination} --sport 1000 --dport ${port} -t 100`;
      conntrack(...words.split(' '), ...(protocol === 'tcp' ? ['--state', 'SYN_SENT'] : []));
    }
  });
  afterEach(() => scratch.remove());

  const conntrack = (...words: string[]): string =>
    execFileSync('ip', ['netns', 'exec', scratch.name, 'conntrack', ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const left = (): string[] =>
    ['ipv4', 'ipv6']
      .flatMap((family) => conntrack('-L', '-f', family).trim().split('\n'))
      .flatMap((line) => /^(\S+) .*?dst=(\S+) sport=1000 dport=(\d+)/.exec(line)?.slice(1).join(' ') ?? [])
      .sort();
  const all = [
    'tcp 192.0.2.1 53',
    'udp 192.0.2.1 53',
    'udp 192.0.2.1 54',
    'udp 192.0.2.2 53',
    'udp fd00:99::1 53',
  ];

  const ADDRESS = Uint8Array.of(192, 0, 2, 1);
  test.each<[ConntrackFilter, string[]]>([
    [{ protocol: 17, destinationPort: 53 }, ['udp 192.0.2.1 53', 'udp 192.0.2.2 53', 'udp fd00:99::1 53']],
    [{ protocol: 17, destinationPort: 53, destination: ADDRESS }, ['udp 192.0.2.1 53']],
    [{ protocol: 6, destinationPort: 53 }, ['tcp 192.0.2.1 53']],
    [{ protocol: 17, destinationPort: 55 }, []],
    [{ protocol: 17, destinationPort: 54, destination: new Uint8Array(16) }, []],
  ])('%j are deleted, and no others', (filter, gone) => {
    const namespace = openNamespace(scratch.path);
    const steps: string[] = [];
    const socket = openConntrack(namespace, (name, run) => {
      steps.push(name);
      return run();
    });
    namespace.close();
    expect(flushConntrack(socket, filter)).toBe(gone.length);
    expect(left()).toEqual(all.filter((line) => !gone.includes(line)));
    expect(flushConntrack(socket, filter)).toBe(0);
    socket.close();
    expect(steps.filter((name) => name.startsWith('delete')).length).toBe(gone.length);
  });
});
