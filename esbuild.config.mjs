// Builds dist/: cni-debug.cjs (the program for Node), koffi.node, cni-debug (the executable) and bin/ (its names).
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** `cni-debug` and each plugin that src/main.ts loads. */
const names = ['cni-debug', 'debug'];

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const libc = process.report.getReport().header.glibcVersionRuntime ? 'linux' : 'musl';
const koffi = `@koromix/koffi-linux-${process.arch}/${libc}_${process.arch}/koffi.node`;

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  absWorkingDir: root,
  outfile: 'dist/cni-debug.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // Koffi's own loader looks for node_modules folders above the executable at run time.
  alias: { koffi },
  loader: { '.node': 'copy' },
  assetNames: 'koffi',
  minifySyntax: true,
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
chmodSync(join(dist, 'cni-debug.cjs'), 0o755);
// A library, not a program; and the loader refuses one that others may write.
chmodSync(join(dist, 'koffi.node'), 0o644);

const bunPackage = require.resolve('bun/package.json');
const bun = join(dirname(bunPackage), require('bun/package.json').bin.bun);
execFileSync(
  bun,
  [
    'build',
    '--compile',
    '--bytecode',
    '--minify',
    // A call is over before compiled code could pay for its compiler, which takes a third of the time otherwise.
    '--compile-jit-policy=100',
    // Nothing in the folder that a runtime happens to stand in may change what a plugin does.
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    'cni-debug.cjs',
    '--outfile',
    'cni-debug',
  ],
  { cwd: dist, stdio: ['ignore', 'ignore', 'inherit'] },
);

mkdirSync(join(dist, 'bin'));
for (const name of names) symlinkSync('../cni-debug', join(dist, 'bin', name));
console.log(
  `built ${names.map((name) => `dist/bin/${name}`).join(', ')} -> ${readlinkSync(join(dist, 'bin', names[0]))}`,
);
