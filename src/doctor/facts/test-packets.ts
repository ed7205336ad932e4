import { type Cidr, contains, family, formatIp, type Ip } from '../../cni/address.ts';
import { openNamespace } from '../../kernel/netns.ts';
import { endpointsOf } from '../../network/gateway.ts';
import { type ForwardingTest, type KnownGateway, testForwarding } from '../../path/test-forwarding.ts';
import { grouped } from '../grouped.ts';
import type { BridgeFacts } from '../plugin-facts.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';
import { insideIfThere } from './inside-all.ts';
import { type MadeAttachment, madeAttachments } from './made-attachments.ts';

/** What became of a datagram that a container sent for us, which never left the node. */
export interface TestedWay {
  readonly network: string;
  readonly made: MadeAttachment;
  readonly family: 4 | 6;
  /** To where only the default route leads, or to another container of its bridge. */
  readonly to: 'outside' | 'neighbour';
  readonly from: string;
  readonly target: string;
  /** The bridge that it is on; undefined for `ptp` and what is no bridge of a configuration. */
  readonly bridge: string | undefined;
  /** What leaves the node was to have the node's address. */
  readonly isToBeMasqueraded: boolean;
  readonly test: ForwardingTest;
}

/**
 * One packet for each network, family and way, from a container that lives: whether the node passes it on. Where a rule
 * drops it, up to two more containers are asked: what is meant for one of them is somebody's policy, and none of the
 * network's faults. Without such a container nothing is known, and nothing said.
 */
export function testedWays(survey: Survey): readonly TestedWay[] {
  return survey.once('test packets', 'test packets', () => {
    const senders = madeAttachments(survey).filter((made) => isOfNode(survey, made));
    return [...grouped(senders, ({ network }) => network)].flatMap(([network, all]) =>
      survey
        .each([4, 6] as const, (ipFamily) =>
          see(`test packets of network ${network}`, () => [
            ...outwards(survey, all, ipFamily),
            ...sideways(survey, all, ipFamily),
          ]),
        )
        .flat(),
    );
  });
}

/** What is stopped so may be meant for this container alone. */
const mostSenders = 3;

/** Of whose packets the node itself is the first hop; others' have ways, and policies, that are not ours to judge. */
function isOfNode({ settings: { facts } }: Survey, { plugins }: MadeAttachment): boolean {
  return plugins.some(
    ({ type, document }) =>
      type === 'ptp' || type === 'flannel' || facts.bridge(type, document) !== undefined,
  );
}

function outwards(survey: Survey, all: readonly MadeAttachment[], ipFamily: 4 | 6): TestedWay[] {
  const senders = all.filter(({ result: { routes = [] } }) =>
    routes.some(({ dst }) => dst === (ipFamily === 4 ? '0.0.0.0/0' : '::/0')),
  );
  const isPolicy = ({ test }: TestedWay) =>
    test.outcome === 'stopped' && (test.stop.cause === 'rule' || test.stop.cause === 'policy');
  let first: TestedWay | undefined;
  for (const made of sending(survey, senders, ipFamily)) {
    const way = wayOf(survey, made, ipFamily, 'outside');
    if (way === undefined) continue;
    if (!isPolicy(way)) return [way];
    first ??= way;
  }
  return first === undefined ? [] : [first];
}

/** Between the first two on one bridge, as far as a bridge is all that lies between them. */
function sideways(survey: Survey, all: readonly MadeAttachment[], ipFamily: 4 | 6): TestedWay[] {
  const bridged = all.filter((made) => factsOf(survey, made)?.vlan === 0);
  const [one, other] = sending(survey, bridged, ipFamily);
  if (one === undefined || other === undefined) return [];
  if (factsOf(survey, one)?.bridge !== factsOf(survey, other)?.bridge) return [];
  const [own, target] = [one, other].map((made) => addressOf(made, ipFamily));
  if (own === undefined || target === undefined || !contains(own, target.ip)) return [];
  const way = wayOf(survey, one, ipFamily, 'neighbour', target.ip);
  return way === undefined ? [] : [way];
}

/** Those whose interface is as it was made, at most so many. */
function sending(survey: Survey, all: readonly MadeAttachment[], ipFamily: 4 | 6): MadeAttachment[] {
  const found: MadeAttachment[] = [];
  for (const made of all) {
    if (found.length === mostSenders) break;
    const contents = insideIfThere(survey, made.netns);
    const link = contents?.links.find(({ name }) => name === made.ifName);
    const address = addressOf(made, ipFamily);
    const isThere = contents?.addresses.some(
      (one) => one.index === link?.index && address !== undefined && one.address === formatIp(address.ip),
    );
    if (link?.running && isThere) found.push(made);
  }
  return found;
}

/** Throws what keeps a packet from being watched. Undefined where the container is gone. */
function wayOf(
  survey: Survey,
  made: MadeAttachment,
  ipFamily: 4 | 6,
  to: TestedWay['to'],
  target?: Ip,
): TestedWay | undefined {
  const source = addressOf(made, ipFamily)?.ip;
  if (source === undefined || insideIfThere(survey, made.netns) === undefined) return undefined;
  const facts = factsOf(survey, made);
  const pod = openNamespace(made.netns);
  try {
    let test = testForwarding(undefined, pod, source, target);
    const gateway = gatewayOf(survey, made, facts);
    // A node that knows another way to the container does not answer when it asks for the gateway.
    if (isUnseen(test) && to === 'outside' && ipFamily === 4 && gateway !== undefined)
      test = testForwarding(undefined, pod, source, undefined, gateway);
    return {
      ...{ network: made.network, made, family: ipFamily, to, bridge: facts?.bridge, test },
      from: formatIp(source),
      target: target === undefined ? 'an address that nobody has' : formatIp(target),
      isToBeMasqueraded: to === 'outside' && facts?.ipMasq === true && facts.isGateway,
    };
  } finally {
    pod.close();
  }
}

function isUnseen(test: ForwardingTest): boolean {
  return test.outcome === 'stopped' && test.stop.cause === 'not-seen';
}

/** The bridge, where it is the node that is the gateway. */
function gatewayOf(
  survey: Survey,
  { netns, ifName }: MadeAttachment,
  facts: BridgeFacts | undefined,
): KnownGateway | undefined {
  if (facts === undefined || !facts.isGateway || facts.vlan !== 0) return undefined;
  const mac = survey.host().links.find(({ name, up }) => name === facts.bridge && up)?.mac;
  const link = insideIfThere(survey, netns)?.links.find(({ name }) => name === ifName);
  return mac === undefined || link === undefined ? undefined : { link, mac };
}

function factsOf({ settings: { facts } }: Survey, { plugins }: MadeAttachment): BridgeFacts | undefined {
  for (const { type, document } of plugins) {
    const found = facts.bridge(type, document);
    if (found !== undefined) return found;
  }
  return undefined;
}

function addressOf({ result }: MadeAttachment, ipFamily: 4 | 6): Cidr | undefined {
  return endpointsOf(result)
    .map(({ address }) => address)
    .find(({ ip }) => family(ip) === ipFamily);
}
