// Servers of a fault's node: `tcp:80` says a line to whoever connects, `dns:53` answers by UDP and TCP that every name of two labels
// and more is 192.0.2.2. By their first letters some are others: no- (or a label with it) is not there, alias- an alias,
// long- too long for a datagram, six- 2001:db8::2 only, lame- SERVFAIL, mute- nothing, odd- no message.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

for (const word of process.argv.slice(2)) {
  const [kind, port] = word.split(':');
  if (kind === 'tcp') createServer((socket) => socket.end('hello\n')).listen(Number(port), '0.0.0.0');
  else serveDns(Number(port));
}

function serveDns(port: number): void {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const answer = answerTo(query, true);
    if (answer !== undefined) socket.send(answer, port, address);
  });
  socket.bind(port, '0.0.0.0');
  createServer((stream) => {
    stream.on('data', (data) => {
      const answer = answerTo(Buffer.from(data).subarray(2), false) ?? Buffer.alloc(0);
      stream.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]));
    });
  }).listen(port, '0.0.0.0');
}

/** RFC 1035, section 4: the question, and records whose names point at it. */
function answerTo(query: Buffer, isDatagram: boolean): Buffer | undefined {
  const labels: string[] = [];
  let endOfName = 12;
  for (let length = query[12] ?? 0; length > 0; length = query[endOfName] ?? 0) {
    labels.push(query.toString('latin1', endOfName + 1, endOfName + 1 + length));
    endOfName += 1 + length;
  }
  const type = query.readUInt16BE(endOfName + 1);
  const is = (kind: string): boolean => labels[0]?.startsWith(`${kind}-`) === true;
  if (is('mute')) return undefined;
  const isMissing = labels.length === 1 || labels.some((label) => label.startsWith('no-'));
  const isLong = is('long') && isDatagram;
  const code = isMissing ? NXDOMAIN : is('lame') ? SERVFAIL : 0;
  const pointer = is('odd') ? 0xff : 12;
  const alias = Buffer.from([
    0xc0,
    pointer,
    0,
    5,
    0,
    1,
    0,
    0,
    0,
    60,
    0,
    8,
    5,
    ...Buffer.from('other'),
    0xc0,
    12,
  ]);
  const owner = is('alias') ? [0xc0, endOfName + 17] : [0xc0, pointer];
  const data = is('six')
    ? Buffer.from('20010db8000000000000000000000002', 'hex')
    : Buffer.from([192, 0, 2, 2]);
  const address = Buffer.from([...owner, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]);
  const isThere = type === (is('six') ? TYPE_AAAA : TYPE_A) && code === 0 && !isLong;
  const records = isThere ? [...(is('alias') ? [alias] : []), address] : [];
  const header = Buffer.from([0, 0, isLong ? 0x83 : 0x81, 0x80 | code, 0, 1, 0, records.length, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  return Buffer.concat([header, query.subarray(12, endOfName + 5), ...records]);
}

const [TYPE_A, TYPE_AAAA] = [1, 28];
const [SERVFAIL, NXDOMAIN] = [2, 3];
