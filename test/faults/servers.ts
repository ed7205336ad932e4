// Servers of a fault's node: `tcp:80` says a line to whoever connects, `dns:53` answers every question with 192.0.2.2.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

for (const word of process.argv.slice(2)) {
  const [kind, port] = word.split(':');
  if (kind === 'tcp') createServer((socket) => socket.end('hello\n')).listen(Number(port), '0.0.0.0');
  else serveDns(Number(port));
}

function serveDns(port: number): void {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => socket.send(answerTo(query), port, address));
  socket.bind(port, '0.0.0.0');
}

/** RFC 1035, section 4: the question, and one A record whose name points at it. */
function answerTo(query: Buffer): Buffer {
  const endOfName = query.indexOf(0, 12);
  const question = query.subarray(12, endOfName + 5);
  const header = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 2]);
  return Buffer.concat([header, question, record]);
}
