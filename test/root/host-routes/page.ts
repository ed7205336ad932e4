// A page in a namespace of a test: `serve` shows each visitor the address that it came from, `fetch` prints what it says.
import { argv } from 'node:process';

const [role, host = '::'] = argv.slice(2);
const port = 8080;

if (role === 'serve') {
  Bun.serve({
    ...{ port, hostname: host },
    fetch: (request, server) => new Response(`a page for ${server.requestIP(request)?.address}`),
  });
  process.stdout.write('ready\n');
} else {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
  const page = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  process.stdout.write(await page.text());
}
