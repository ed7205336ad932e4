import { openNamespace } from '../../src/kernel/netns.ts';
import { watchPackets } from '../../src/path/packet-watch.ts';

/** Watches in the namespace of its first word until it is killed; prints a line when it does. */
const [, , path = ''] = process.argv;
const flow = {
  protocol: 'tcp',
  source: Uint8Array.of(10, 1, 0, 5),
  target: Uint8Array.of(192, 0, 2, 1),
} as const;
watchPackets(openNamespace(path), flow);
process.stdout.write('watches\n');
setInterval(() => {}, 1000);
