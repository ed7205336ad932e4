import { parseIp } from '../cni/address.ts';
import type { Route } from '../kernel/netlink/route.ts';
import { testForwarding } from '../path/test-forwarding.ts';
import type { Gateway } from './gateways.ts';
import { notMasqueraded } from './masquerade-finding.ts';
import type { ProbeRun } from './probe-run.ts';
import { findingOfStop } from './stop-finding.ts';

/**
 * Whether the node would let out what the container sends to anywhere: by a datagram to nobody, which is contained before it leaves.
 * `hasLeft`: something that was really sent has left the node, so that a rule about the test's own address is no trouble.
 */
export function probeWayOut(run: ProbeRun, { source, ip }: Gateway, hasLeft: boolean): void {
  const family = ip.length === 4 ? 4 : 6;
  const what = `way out by IPv${family}`;
  if (!run.inside.routes.some((route) => isDefault(route, family))) {
    run.notTried(what, `the container has no default route of IPv${family}`);
    return;
  }
  const tested = testForwarding(run.node, run.pod, source);
  if (tested.outcome === 'not-tested') {
    run.notTried(what, tested.reason);
    return;
  }
  if (tested.outcome === 'forwarded') {
    const { packet, isMasqueraded, oif } = tested;
    const question = { what: `a datagram to ${packet.target}`, source };
    const bare = notMasqueraded(run, { leftAs: packet }, question, parseIp(packet.target) as Uint8Array);
    const link = run.outside.links.find(({ index }) => index === oif)?.name ?? '?';
    const as = isMasqueraded ? `as ${packet.source}` : 'with its own address';
    if (bare === undefined)
      run.ok(what, `leads by "${link}", ${as} (a datagram to ${packet.target}, stopped before it left)`);
    else run.fail(what, bare);
    return;
  }
  const { stop } = tested;
  const isAboutAddress = ['rule', 'policy', 'unreported', 'queue', 'refusing-route'].includes(stop.cause);
  if (isAboutAddress && hasLeft) {
    run.ok(what, `is there, as other packets show; one to nobody is refused: ${stop.text}`);
    return;
  }
  run.fail(
    what,
    findingOfStop(run, stop, {
      what: 'a datagram to elsewhere',
      where: stop.hook === undefined ? 'container' : 'node',
    }),
  );
}

function isDefault({ family, dst, gateway, type }: Route, wanted: 4 | 6): boolean {
  return family === wanted && dst.endsWith('/0') && type === RTN_UNICAST && gateway !== undefined;
}

/** include/uapi/linux/rtnetlink.h */
const RTN_UNICAST = 1;
