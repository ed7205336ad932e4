// Runs where the data directory given is a file system whose clock goes by ticks; prints what was noticed.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from './pool.ts';

const [, , dataDir = ''] = process.argv;
const counts = { sameTick: 0, unnoticed: 0, scans: 0 };
using pool = new Pool();
const settings = { ...pool.settings, dataDir, directory: join(dataDir, 'net') };
Object.assign(pool, { settings, directory: settings.directory });
const tick = () => statSync(settings.directory, { bigint: true }).ctimeNs;

for (let round = 0; counts.sameTick < 20 && round < 2000; round += 1) {
  pool.add(`ours${round}`);
  const ours = tick();
  // What another host-local does: no stamp of ours, only the tick's.
  pool.write('10.9.0.1', `theirs${round}\r\neth0`);
  if (tick() === ours) counts.sameTick += 1;
  if (pool.leases(`theirs${round}`).length === 0) counts.unnoticed += 1;
  pool.del(`ours${round}`);
  pool.remove('10.9.0.1');
  if (pool.leases(`theirs${round}`).length > 0) counts.unnoticed += 1;
  pool.scans();
  // And with nobody else about, nothing is scanned.
  pool.add('again');
  pool.del('again');
  counts.scans += pool.scans();
}
process.stdout.write(JSON.stringify(counts));
