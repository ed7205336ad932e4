import { readFileSync } from 'node:fs';
import { decodeMessages, type NetlinkMessage } from '../../../src/kernel/netlink/message.ts';

/** The datagrams of a file that capture.ts made. */
export function capturedDatagrams(name: string): Buffer[] {
  return readFileSync(`${import.meta.dir}/../../fixtures/netlink/${name}.hex`, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line, 'hex'));
}

export function capturedMessages(name: string): NetlinkMessage[] {
  return capturedDatagrams(name).flatMap(decodeMessages);
}

/** The payloads of all messages of a type. */
export function capturedPayloads(name: string, type: number): Buffer[] {
  return capturedMessages(name)
    .filter((message) => message.type === type)
    .map(({ payload }) => payload);
}
