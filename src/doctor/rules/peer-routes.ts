import { formatCidr } from '../../cni/address.ts';
import { openRouteSocket } from '../../kernel/netlink/socket.ts';
import { shellWord } from '../../lint/shell-word.ts';
import { type HostRoute, hostRouteText } from '../../network/host-route.ts';
import { hostRouteDifference } from '../../network/host-route-plan.ts';
import { HOST_ROUTE_PROTOCOL, NodeRoutes } from '../../network/node-routes.ts';
import { configuredNetworks, madeAttachments } from '../facts/made-attachments.ts';
import { grouped } from '../grouped.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';
import { see } from '../unseen.ts';

export const peerRouteMissing: Rule = {
  id: 'D034',
  name: 'peer-route-missing',
  severity: 'error',
  summary: 'A route of `host-routes` to the pods of another node is gone, or leads elsewhere.',
  meaning: 'pods of this node and of that one do not reach each other; the next ADD puts it back',
  *find(survey) {
    for (const all of grouped(missingRoutes(survey), ({ network }) => network).values()) yield found(all);
  },
};

interface MissingRoute {
  readonly network: string;
  /** The file of the network. */
  readonly path: string;
  readonly route: HostRoute;
  /** In words. */
  readonly difference: string;
  /** The destination has a route, which somebody else has made. */
  readonly isTaken: boolean;
}

/** Of networks that have a container here: before the first ADD nobody has set them. */
function missingRoutes(survey: Survey): MissingRoute[] {
  const used = new Set(madeAttachments(survey).map(({ network }) => network));
  const networks = configuredNetworks(survey).filter(({ name }) => used.has(name));
  const wanted = survey
    .each(networks, ({ name, path, plugins }) =>
      see(`the routes of network ${name}`, () =>
        plugins
          .flatMap(({ type, document }) => survey.settings.facts.hostRoutes(type, document) ?? [])
          .map((route) => ({ network: name, path, route })),
      ),
    )
    .flat();
  if (wanted.length === 0) return [];
  return see('the routes of the node', () => {
    const socket = openRouteSocket();
    try {
      const node = new NodeRoutes(socket);
      return wanted.flatMap((one) => {
        const difference = hostRouteDifference(node, one.route);
        if (difference === undefined) return [];
        return [{ ...one, difference, isTaken: node.to(one.route.dst).length > 0 }];
      });
    } finally {
      socket.close();
    }
  });
}

function found(all: readonly MissingRoute[]): Draft {
  const [first] = all as [MissingRoute];
  const free = all.filter(({ isTaken }) => !isTaken);
  const taken = all.filter(({ isTaken }) => isTaken);
  const command =
    (verb: string) =>
    ({ route }: MissingRoute) =>
      `ip route ${verb} ${hostRouteText(route).split(' ').map(shellWord).join(' ')} proto ${HOST_ROUTE_PROTOCOL}`;
  return {
    object: `network ${first.network}`,
    cause: `${first.difference}${all.length > 1 ? `, and ${all.length - 1} more` : ''}`,
    evidence: [
      ...all.slice(0, mostShown).map(({ route, difference }) => ({
        source: `ip route show ${formatCidr(route.dst)}`,
        text: difference,
      })),
      { source: first.path, text: `host-routes: ${hostRouteText(first.route)}` },
    ],
    fix: [
      ...free.map(command('add')),
      ...taken.map(({ route }) => `see who made it, and remove it: ip route show ${formatCidr(route.dst)}`),
    ],
    undo: free.map(command('del')),
  };
}

const mostShown = 3;
