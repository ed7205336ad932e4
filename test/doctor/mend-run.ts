import { spawnSync } from 'node:child_process';
import { pluginFacts } from '../../src/cli/plugin-facts.ts';
import { readersByType } from '../../src/cli/plugin-readers.ts';
import { examine } from '../../src/doctor/examine.ts';
import { meansOf } from '../../src/doctor/fix.ts';
import { Survey } from '../../src/doctor/survey.ts';

// bun mend-run.ts <ID of a rule> <script> [late]: looks at the node, runs the script, and then mends what it saw before;
// `late` runs the script after the second look, which is one for all mends.
const [id = '', script = '', late = ''] = process.argv.slice(2);
const cniPath = '/opt/cni/bin';
const cacheDir = '/var/lib/cni';
const settings = {
  confDir: '/etc/cni/net.d',
  cacheDir,
  pluginPath: cniPath,
  minAgeMs: 1,
  readers: readersByType,
  facts: pluginFacts,
};
const { mends } = await examine(new Survey(settings));
const found = [...mends].find(([finding]) => finding.id === id);
if (found === undefined) throw new Error(`${id} was not found, or has no mend`);
const means = meansOf(settings, { cniPath, cacheDir, timeoutMs: 60_000 });
if (late !== '') means.look();
const { status, stderr } = spawnSync('sh', ['-e', '-c', script], { encoding: 'utf8' });
if (status !== 0) throw new Error(`${script}: ${stderr}`);
const { done, left } = await found[1].apply(means);
process.stdout.write(JSON.stringify({ difference: found[1].difference, done, left }));
