import type { Finding } from '../findings/finding.ts';
import { endpointText } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import type { Exchange } from '../path/exchange.ts';
import type { Translation } from './host-port-translation.ts';
import { finding } from './rules.ts';

/** A host port of which it is asked where it leads. */
export interface AskedPort {
  /** `host port 192.0.2.1:8080/tcp` */
  readonly what: string;
  /** `host port 8080/tcp` */
  readonly object: string;
  readonly outer: Endpoint;
  readonly inner: Endpoint;
  readonly protocol: 'tcp' | 'udp';
}

/** That no rule translates what is sent to a host port. */
export function notForwarded(
  { object, outer, inner, protocol }: AskedPort,
  seen: Translation | undefined,
  whose: string,
  severity: 'error' | 'warning',
): Finding {
  const now = seen === undefined ? 'it was not seen' : `it goes on to ${seen.target} port ${seen.targetPort}`;
  return finding('P011', {
    object,
    severity,
    cause: `no rule leads ${whose} to ${endpointText(outer)} on to ${endpointText(inner)}`,
    evidence: [
      {
        source: 'trace of the packet (nftrace)',
        text: `${protocol} to ${endpointText(outer)}: behind all NAT ${now}`,
      },
      {
        source: 'capability portMappings of the attachment',
        text: `${endpointText(outer)} -> ${endpointText(inner)}`,
      },
    ],
    meaning: 'who connects to the node at this port does not reach the container',
    fix: ['cni-debug doctor --fix'],
  });
}

/** That it leads to the container, and no connection came of it. */
export function closed({ inner, what }: AskedPort, { outcome }: Exchange): Finding {
  const object = endpointText(inner);
  if (outcome.kind === 'refused')
    return finding('P010', {
      object,
      cause: `${object} refuses the connection: nobody in the container listens there`,
      evidence: [{ source: `connect(2) to ${what}`, text: outcome.error?.message ?? 'refused' }],
      severity: 'warning',
      meaning: 'the host port leads to the container, where no program takes it',
      fix: [`start what should listen on port ${inner.port}, on all addresses and not on 127.0.0.1`],
    });
  return finding('P012', {
    object,
    cause: `TCP to ${what}: the packet came to the container, and no answer came back`,
    evidence: [
      {
        source: `connect(2) to ${what}`,
        text: outcome.error?.message ?? `no answer in ${outcome.ms.toFixed(0)} ms`,
      },
    ],
    meaning: 'the host port leads to the container, which does not answer',
    fix: ['look at the rules of the container itself, and at its routes'],
  });
}
