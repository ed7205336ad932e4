import { afterAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dir, '..');
const copy = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
cpSync(join(root, 'biome.json'), join(copy, 'biome.json'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Whether the linter lets a file at `path` import `from`. */
function allows(path: string, from: string): boolean {
  const file = join(copy, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `export { anything } from '${from}';\n`);
  const biome = join(root, 'node_modules/.bin/biome');
  const args = ['lint', '--only=style/noRestrictedImports', '--vcs-enabled=false', path];
  const { stdout, stderr } = spawnSync(biome, args, { cwd: copy, encoding: 'utf8' });
  const output = stdout + stderr;
  if (!output.includes('Checked 1 file')) throw new Error(`biome did not look at ${path}: ${output}`);
  return !output.includes('noRestrictedImports');
}

test.each([
  ['src/cni/x.ts', './json.ts', true],
  ['src/cni/x.ts', '../kernel/netns.ts', false],
  ['src/cni/x.ts', '../trace/trace.ts', false],
  ['src/kernel/x.ts', './libc.ts', true],
  ['src/kernel/netlink/x.ts', '../libc.ts', true],
  ['src/kernel/netlink/x.ts', '../../cni/json.ts', false],
  ['src/kernel/x.ts', 'koffi', false],
  ['src/kernel/libc.ts', 'koffi', true],
  ['src/trace/x.ts', '../cni/json.ts', true],
  ['src/trace/x.ts', '../cli/demo.ts', false],
  ['src/runtime/x.ts', '../../plugins/debug/plugin.ts', false],
  ['src/runtime/x.ts', 'koffi', false],
  ['plugins/debug/x.ts', '../../src/trace/trace.ts', true],
  ['plugins/debug/x.ts', './call.ts', true],
  ['plugins/debug/x.ts', '../bridge/plugin.ts', false],
  ['plugins/debug/x.ts', '../../src/cli/demo.ts', false],
  ['plugins/debug/x.ts', '../../plugins/bridge/plugin.ts', false],
  ['plugins/debug/x.ts', '../../src/main.ts', false],
  ['src/trace/x.ts', '../process-io.ts', false],
  ['src/trace/x.ts', '@koromix/koffi-linux-x64', false],
  ['src/explain/x.ts', '../network/gateway.ts', true],
  ['src/explain/x.ts', '../cli/terminal.ts', false],
  ['src/network/x.ts', '../explain/section.ts', false],
  ['src/node/x.ts', '../runtime/network-files.ts', true],
  ['src/node/x.ts', '../doctor/survey.ts', false],
  ['src/network/x.ts', '../node/contents.ts', false],
  ['src/kernel/x.ts', '../findings/finding.ts', false],
  ['src/findings/x.ts', '../cli/terminal.ts', false],
  ['src/doctor/x.ts', '../node/contents.ts', true],
  ['src/doctor/rules/x.ts', '../../findings/finding.ts', true],
  ['src/doctor/x.ts', '../lint/lint.ts', true],
  ['src/doctor/x.ts', '../../plugins/bridge/configuration.ts', false],
  ['src/doctor/x.ts', '../cli/terminal.ts', false],
  ['src/lint/x.ts', '../network/gateway.ts', true],
  ['src/lint/rules/x.ts', '../../ipam/range.ts', true],
  ['src/lint/rules/x.ts', '../../../plugins/bridge/configuration.ts', false],
  ['src/lint/x.ts', '../cli/terminal.ts', false],
  ['src/network/x.ts', '../lint/lint.ts', false],
  ['src/kernel/x.ts', '../lint/lint.ts', false],
  ['src/path/x.ts', '../kernel/netns.ts', true],
  ['src/path/x.ts', '../network/gateway.ts', true],
  ['src/path/x.ts', '../probe/probe.ts', false],
  ['src/path/x.ts', '../cli/failure.ts', false],
  ['src/network/x.ts', '../path/packet-watch.ts', false],
  ['src/kernel/x.ts', '../path/packet-watch.ts', false],
  ['src/cli/x.ts', '../lint/lint.ts', true],
  ['src/installation/x.ts', '../kernel/file-lock.ts', true],
  ['src/installation/x.ts', '../cli/failure.ts', false],
  ['src/installation/x.ts', '../../plugins/by-name.ts', false],
  ['src/cli/x.ts', '../runtime/find-plugin.ts', true],
  ['src/cli/x.ts', '../../plugins/by-name.ts', true],
  ['src/cli/x.ts', 'koffi', false],
  ['src/cli/page/client/x.ts', '../../../cni/json.ts', true],
  ['src/cli/page/client/x.ts', '../../duration-text.ts', true],
  ['src/cli/page/client/x.ts', 'node:fs', false],
  ['src/cli/page/client/x.ts', '../../../kernel/netns.ts', false],
  ['src/cli/page/client/x.ts', '../../../process-io.ts', false],
])('%s may import %s: %p', (path, from, allowed) => {
  expect(allows(path, from)).toBe(allowed);
});
