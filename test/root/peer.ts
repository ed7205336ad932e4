// Two ends of a TCP connection in namespaces of a test: `serve` tells who asks what address it sees, `ask` prints it.
import { connect, createServer } from 'node:net';

const [role, host = '::', asked = '7000'] = process.argv.slice(2);
const port = Number(asked);

if (role === 'serve') {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(socket.remoteAddress ?? '');
  });
  server.listen(port, host, () => process.stdout.write('ready\n'));
} else {
  const socket = connect({ host, port });
  socket.setTimeout(20_000, () => socket.destroy(new Error('nobody answered in 20 seconds')));
  socket.on('data', (data) => process.stdout.write(data));
  socket.on('error', ({ message }) => {
    process.stderr.write(`${message}\n`);
    process.exitCode = 1;
  });
}
