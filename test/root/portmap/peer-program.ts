// Runs in a network namespace and does what peer.ts asks for: a request and an answer are a line of JSON each.
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Answer, Request } from './peer.ts';

const plain = (address = ''): string => address.replace(/^::ffff:/, '');

/** Tells whoever comes who it is, and which address it sees them come from. */
function serveTcp(name: string, host: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    // Read, or the close of a socket with unread data is a reset.
    socket.resume();
    socket.end(`${name} sees ${plain(socket.remoteAddress)}`);
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, host, () => resolve());
  });
}

function serveUdp(name: string, host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (text, { address, port }) => {
    socket.send(`${text} ${name} sees ${plain(address)}`, port, address);
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(port, host, () => resolve());
  });
}

function askTcp({ host, port, localAddress, waitMs }: Extract<Request, { ask: 'tcp' }>): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), waitMs);
    socket.on('data', (data) => {
      heard += data;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      if (heard === '') reject(new Error('closed without an answer'));
      else resolve(heard);
    });
  });
}

/** By port: the same socket for whoever asks from the same one, as a client that keeps talking. */
const clients = new Map<string, Promise<Datagrams>>();
let asked = 0;

function client(family: 'udp4' | 'udp6', localPort: number): Promise<Datagrams> {
  const make = (): Promise<Datagrams> =>
    new Promise((resolve, reject) => {
      const socket = createSocket({ type: family, ipv6Only: family === 'udp6' });
      socket.setMaxListeners(100);
      socket.once('error', reject);
      socket.bind(localPort, () => {
        // What a later datagram runs into is the answer of nobody.
        socket.on('error', () => {});
        resolve(socket);
      });
    });
  const key = `${family} ${localPort}`;
  if (localPort === 0) return make();
  if (!clients.has(key)) clients.set(key, make());
  return clients.get(key) as Promise<Datagrams>;
}

async function askUdp({ host, port, localPort = 0, waitMs }: Extract<Request, { ask: 'udp' }>) {
  const socket = await client(host.includes(':') ? 'udp6' : 'udp4', localPort);
  asked += 1;
  const token = `${process.pid}-${asked}`;
  return new Promise<string>((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      socket.off('message', hear);
      if (localPort === 0) socket.close();
    };
    const hear = (data: Buffer): void => {
      const [heard, ...words] = data.toString().split(' ');
      if (heard !== token) return;
      finish();
      resolve(words.join(' '));
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error('no answer'));
    }, waitMs);
    socket.on('message', hear);
    socket.send(token, port, host, (error) => {
      if (!error) return;
      finish();
      reject(error);
    });
  });
}

async function answer(request: Request): Promise<string> {
  if ('serve' in request) {
    const { serve, name, host, port } = request;
    await (serve === 'tcp' ? serveTcp : serveUdp)(name, host, port);
    return 'ready';
  }
  return request.ask === 'tcp' ? askTcp(request) : askUdp(request);
}

function tell(message: Answer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, ...request } = JSON.parse(line);
  answer(request).then(
    (text) => tell({ id, text }),
    (error) => tell({ id, error: error.code ?? error.message }),
  );
});
// Whoever started this is gone.
process.stdin.on('end', () => process.exit());
