import { openInetSocket } from '../kernel/inet/inet-socket.ts';
import type { Endpoint } from '../kernel/inet/socket-address.ts';
import { SystemError } from '../kernel/system-error.ts';
import { answersQuestion, type DnsQuestion, encodeQuestion } from './dns-message.ts';
import type { ProbeRun } from './probe-run.ts';
import { probeTcp } from './tcp-step.ts';

/**
 * Asks again by TCP what was too long for a datagram: RFC 7766, section 8. Undefined when nothing came of it; that no connection can
 * be made is a step of its own.
 */
export function askByTcp(run: ProbeRun, target: Endpoint, question: DnsQuestion): Buffer | undefined {
  if (!probeTcp(run, target)) return undefined;
  const deadline = performance.now() + run.timeFor(run.options.timeoutMs);
  const leftMs = (): number => Math.max(1, deadline - performance.now());
  const query = encodeQuestion(question);
  try {
    using socket = openInetSocket('tcp', target.ip.length === 4 ? 4 : 6, run.pod);
    socket.connect(target, leftMs());
    socket.send(Buffer.concat([lengthOf(query), query]));
    let received = Buffer.alloc(0);
    while (performance.now() < deadline) {
      const more = socket.read(leftMs());
      if (more === undefined || more.length === 0) return undefined;
      received = Buffer.concat([received, more]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) continue;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      return answersQuestion(query, message) ? message : undefined;
    }
  } catch (error) {
    // It has ended the connection, which is no answer either.
    if (!(error instanceof SystemError)) throw error;
  }
  return undefined;
}

function lengthOf({ length }: Buffer): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(length);
  return bytes;
}
