import { expect, test } from 'bun:test';
import { decodeLink, dumpLinks } from '../../../src/kernel/netlink/link.ts';
import { blankCounters } from '../../../src/kernel/netlink/link-counters.ts';
import { decodeLinkDetails, type LinkDetails } from '../../../src/kernel/netlink/link-details.ts';
import { openRouteSocket } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace, runIn } from '../../../src/kernel/netns.ts';
import { writeSysctl } from '../../../src/kernel/sysctl.ts';
import { requires } from '../../requirements.ts';
import { type ScratchNamespace, scratchNamespace } from '../scratch.ts';
import { capturedPayloads } from './captured.ts';
import { expectNoCrash } from './mutation.ts';

const captured = capturedPayloads('links', 16);

/** By the names of the links. */
function detailsIn({ path }: ScratchNamespace): Record<string, LinkDetails> {
  return Object.fromEntries(
    payloadsIn(path).map((payload) => [decodeLink(payload).name, decodeLinkDetails(payload)]),
  );
}

function inside({ path }: ScratchNamespace, run: () => boolean): void {
  const namespace = openNamespace(path);
  runIn(namespace, run);
  namespace.close();
}

function payloadsIn(path: string): Buffer[] {
  const namespace = openNamespace(path);
  const socket = openRouteSocket(namespace);
  namespace.close();
  try {
    return dumpLinks(socket);
  } finally {
    socket.close();
  }
}

test.if(requires('root', 'ip'))('what was set is what `ip -details` shows', () => {
  const scratch = scratchNamespace(
    'link add br0 type bridge forward_delay 200 ageing_time 1000 mcast_snooping 0 priority 7',
    'link add host0 type veth peer name eth0',
    'link set host0 master br0 txqueuelen 77 group 5',
    'link set host0 type bridge_slave hairpin on isolated on guard on learning off flood off mcast_flood off',
    'link set eth0 allmulticast on',
    'link add link eth0 name mac0 type macvlan mode private bcqueuelen 77',
  );
  try {
    interface Shown {
      ifname: string;
      txqlen: number;
      linkinfo?: { info_data?: Record<string, unknown>; info_slave_data?: Record<string, unknown> };
    }
    const shown = scratch.show<Shown[]>('-details', 'link', 'show');
    const details = detailsIn(scratch);
    expect(shown.map(({ ifname, txqlen }) => [ifname, txqlen])).toEqual(
      Object.entries(details).map(([name, { txqlen = 0 }]) => [name, txqlen]) as never,
    );
    expect(details).toMatchObject({
      br0: { forward_delay: 200, ageing_time: 1000, mcast_snooping: 0, priority: 7 },
      host0: {
        txqlen: 77,
        group: 5,
        hairpin: 1,
        isolated: 1,
        guard: 1,
        learning: 0,
        flood: 0,
        mcast_flood: 0,
      },
      eth0: { allmulti: 1 },
      mac0: { bcqueuelen: 77 },
    });
    // All that we name and `ip` does, too.
    const { info_data = {}, info_slave_data = {} } = Object.assign(
      {},
      ...shown.map(({ linkinfo }) => linkinfo ?? {}),
    );
    for (const [name, options] of Object.entries({ br0: info_data, host0: info_slave_data }))
      for (const [key, value] of Object.entries(options))
        if (key in details[name]! && typeof value !== 'object')
          expect([key, details[name]![key]]).toEqual([key, Number(value)]);
  } finally {
    scratch.remove();
  }
});

test.if(requires('root', 'ip'))(
  'with its counters blanked, a link is the same until somebody changes it',
  async () => {
    const scratch = scratchNamespace();
    inside(scratch, () => writeSysctl('net/ipv6/conf/default/router_solicitations', '0'));
    scratch.ip(
      'link add br0 type bridge',
      'link add host0 type veth peer name eth0',
      'link set host0 master br0',
      ...['br0', 'host0', 'eth0'].map((name) => `link set ${name} up`),
    );
    const settled = (): string[] => {
      const payloads = payloadsIn(scratch.path);
      blankCounters(payloads);
      return payloads.map((payload) => payload.toString('hex'));
    };
    try {
      // Until the carriers have been found, and the first packets sent.
      await Bun.sleep(1500);
      const raw = payloadsIn(scratch.path).map((payload) => payload.toString('hex'));
      const before = settled();
      scratch.ip(
        'address add 10.22.0.5/16 dev eth0',
        'neighbour add 10.22.0.7 lladdr 02:00:00:00:00:07 dev eth0',
      );
      await Bun.sleep(200);
      expect(settled()).toEqual(before);
      // The timer of the bridge, if nothing else.
      expect(payloadsIn(scratch.path).map((payload) => payload.toString('hex'))).not.toEqual(raw);
      scratch.ip('link set eth0 mtu 1400');
      expect(settled()).not.toEqual(before);
    } finally {
      scratch.remove();
    }
  },
);

test('mutated links', () => {
  expectNoCrash(captured, (payload) => {
    decodeLinkDetails(payload);
    blankCounters([Buffer.from(payload)]);
  });
});
