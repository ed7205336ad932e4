import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { isDuplicate, isTentative, listAddresses } from '../../../src/kernel/netlink/address.ts';
import { addAddress, deleteAddress } from '../../../src/kernel/netlink/address-change.ts';
import type { Link } from '../../../src/kernel/netlink/link.ts';
import { changeLink } from '../../../src/kernel/netlink/link-change.ts';
import { createVeth } from '../../../src/kernel/netlink/link-create.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { runIn } from '../../../src/kernel/netns.ts';
import { writeSysctl } from '../../../src/kernel/sysctl.ts';
import { requires } from '../../requirements.ts';
import { type Place, place, prefix, refusal, refusalToNobody } from './place.ts';
import { comparable, sentByIp, sentByUs } from './sent.ts';

const veth0 = { index: 4, name: 'veth0' };
const gone = { index: 4000, name: 'gone' };

test.each<[string, (socket: NetlinkSocket) => void]>([
  [
    'ip address add 10.22.0.5/12 broadcast + dev veth0',
    (socket) => addAddress(socket, veth0, prefix('10.22.0.5/12')),
  ],
  ['ip address add 10.22.0.5/31 dev veth0', (socket) => addAddress(socket, veth0, prefix('10.22.0.5/31'))],
  [
    'ip address add 169.254.0.5/32 scope link dev veth0',
    (socket) => addAddress(socket, veth0, { ...prefix('169.254.0.5/32'), scope: 253 }),
  ],
  [
    'ip address add fd00:22::5/64 nodad dev veth0',
    (socket) => addAddress(socket, veth0, { ...prefix('fd00:22::5/64'), noDad: true }),
  ],
  [
    'ip address delete 10.22.0.5/12 dev veth0',
    (socket) => deleteAddress(socket, veth0, prefix('10.22.0.5/12')),
  ],
])('sent as by `%s`', (command, run) => {
  const ifaddrmsg = { struct: 8 };
  expect(comparable(sentByUs(run), ifaddrmsg)).toEqual(comparable(sentByIp(command), ifaddrmsg));
});

test('an address of another length is refused before the kernel sees it', () => {
  expect(() =>
    sentByUs((socket) => addAddress(socket, veth0, { ip: new Uint8Array(5), prefixLength: 8 })),
  ).toThrow(RangeError);
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let node: Place;
  let link: Link;
  let count = 0;

  beforeAll(() => {
    node = place();
  });
  afterAll(() => node.close());
  beforeEach(() => {
    count += 1;
    link = createVeth(node.socket, { name: `veth${count}`, up: true }, { name: `peer${count}` });
    changeLink(node.socket, { index: link.link!, name: `peer${count}` }, { up: true });
  });

  const texts = (): string[] =>
    listAddresses(node.socket)
      .filter(({ index, scope }) => index === link.index && scope === 0)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);

  test('added and deleted', () => {
    for (const text of ['10.22.0.5/16', '10.23.0.5/32', 'fd00:22::5/64']) {
      addAddress(node.socket, link, prefix(text));
      expect(texts()).toContain(text);
      deleteAddress(node.socket, link, prefix(text));
      expect(texts()).toEqual([]);
    }
  });

  test('broadcast addresses as the reference plugins give them', () => {
    for (const text of ['10.22.0.5/16', '10.23.0.5/30', '10.24.0.5/31', '10.25.0.5/32', '10.26.0.77/27']) {
      addAddress(node.socket, link, prefix(text));
    }
    const [shown] = node.scratch.show<
      { addr_info: { local: string; broadcast?: string; family: string }[] }[]
    >('address', 'show', link.name);
    const broadcasts = shown!.addr_info
      .filter(({ family }) => family === 'inet')
      .map(({ local, broadcast }) => [local, broadcast]);
    expect(broadcasts as unknown).toEqual([
      ['10.22.0.5', '10.22.255.255'],
      ['10.23.0.5', '10.23.0.7'],
      ['10.24.0.5', undefined],
      ['10.25.0.5', undefined],
      ['10.26.0.77', '10.26.0.95'],
    ]);
  });

  test('tentative, or not', () => {
    addAddress(node.socket, link, prefix('fd00:22::6/64'));
    addAddress(node.socket, link, { ...prefix('fd00:22::7/64'), noDad: true });
    const ofText = (text: string) => listAddresses(node.socket).find(({ address }) => address === text)!;
    expect(isTentative(ofText('fd00:22::6'))).toBe(true);
    expect(isTentative(ofText('fd00:22::7'))).toBe(false);
    expect(isDuplicate(ofText('fd00:22::6'))).toBe(false);
  });

  test('an address that another has is a duplicate', async () => {
    const other = place(`link set lo up`);
    try {
      const here = createVeth(
        node.socket,
        { name: 'dad0', up: true },
        { name: 'dad1', namespace: other.namespace },
      );
      const there = { index: here.link!, name: 'dad1' };
      changeLink(other.socket, there, { up: true });
      addAddress(other.socket, there, { ...prefix('fd00:99::1/64'), noDad: true });
      addAddress(node.socket, here, prefix('fd00:99::1/64'));
      const ours = () => listAddresses(node.socket).find(({ address }) => address === 'fd00:99::1')!;
      const end = performance.now() + 10_000;
      while (!isDuplicate(ours()) && performance.now() < end) await Bun.sleep(20);
      expect(isDuplicate(ours())).toBe(true);
    } finally {
      other.close();
    }
  });

  describe('refused', () => {
    test('an address that is there already', () => {
      addAddress(node.socket, link, prefix('10.30.0.5/16'));
      addAddress(node.socket, link, prefix('fd00:30::5/64'));
      expect(refusal(() => addAddress(node.socket, link, prefix('10.30.0.5/16')))).toStartWith(
        `add 10.30.0.5/16 to "${link.name}": File exists (EEXIST)`,
      );
      expect(refusal(() => addAddress(node.socket, link, prefix('fd00:30::5/64')))).toStartWith(
        `add fd00:30::5/64 to "${link.name}": File exists (EEXIST)`,
      );
    });

    test('an address that is not there', () => {
      for (const text of ['10.31.0.5/16', 'fd00:31::5/64']) {
        expect(refusal(() => deleteAddress(node.socket, link, prefix(text)))).toStartWith(
          `delete ${text} from "${link.name}": Cannot assign requested address (EADDRNOTAVAIL)`,
        );
      }
    });

    test('a link that is gone', () => {
      for (const text of ['10.32.0.5/16', 'fd00:32::5/64']) {
        expect(refusal(() => addAddress(node.socket, gone, prefix(text)))).toStartWith(
          `add ${text} to "gone": No such device (ENODEV)`,
        );
        expect(refusal(() => deleteAddress(node.socket, gone, prefix(text)))).toStartWith(
          `delete ${text} from "gone": No such device (ENODEV)`,
        );
      }
    });

    test('IPv6 where it is disabled', () => {
      runIn(node.namespace, () => writeSysctl(`net/ipv6/conf/${link.name}/disable_ipv6`, '1'));
      expect(refusal(() => addAddress(node.socket, link, prefix('fd00:33::5/64')))).toStartWith(
        `add fd00:33::5/64 to "${link.name}": Permission denied (EACCES)`,
      );
    });

    test('one who may not', () => {
      const code = `(socket, { index: 1, name: 'lo' }, { ip: new Uint8Array([10, 0, 0, 1]), prefixLength: 8 })`;
      expect(refusalToNobody(node.scratch, 'address-change.ts', `kernel.addAddress${code}`)).toBe(
        'NetlinkError: add 10.0.0.1/8 to "lo": Operation not permitted (EPERM)',
      );
      expect(refusalToNobody(node.scratch, 'address-change.ts', `kernel.deleteAddress${code}`)).toBe(
        'NetlinkError: delete 10.0.0.1/8 from "lo": Operation not permitted (EPERM)',
      );
    });
  });
});
