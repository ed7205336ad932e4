// Builds dist/: page/ (script and style of `trace --html`, which the programs hold as text), cni-debug.cjs (the program for
// Node), runtime.cjs and types/ (the library), koffi.node, cni-debug (the executable) and bin/ (its names).
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** `cni-debug`, `debug`, and each plugin of plugins/by-name.ts. */
const names = [
  'cni-debug',
  'debug',
  'bridge',
  'flannel',
  'host-local',
  'host-routes',
  'loopback',
  'macvlan',
  'portmap',
];

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const libc = process.report.getReport().header.glibcVersionRuntime ? 'linux' : 'musl';
const koffi = `@koromix/koffi-linux-${process.arch}/${libc}_${process.arch}/koffi.node`;

const attachment = { CNI_CONTAINERID: 'order', CNI_NETNS: '/none', CNI_IFNAME: 'eth0', CNI_PATH: '/none' };

rmSync(dist, { recursive: true, force: true });
// First: src/cli/page imports what comes of it.
await build({
  absWorkingDir: root,
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  charset: 'utf8',
  minify: true,
  legalComments: 'none',
  entryPoints: { client: 'src/cli/page/client/client.ts', page: 'src/cli/page/page.css' },
  outdir: 'dist/page',
  outExtension: { '.js': '.js.txt', '.css': '.css.txt' },
  logLevel: 'warning',
});
const forNode = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // Koffi's own loader looks for node_modules folders above the executable at run time.
  alias: { koffi },
  loader: { '.node': 'copy' },
  assetNames: 'koffi',
  minifySyntax: true,
  logLevel: 'warning',
};
await build({
  ...forNode,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/cni-debug.cjs',
  banner: { js: '#!/usr/bin/env node' },
});
await build({ ...forNode, entryPoints: ['src/runtime/library.ts'], outfile: 'dist/runtime.cjs' });
execFileSync(process.execPath, [executableOf('typescript', 'tsc'), '--project', 'src/runtime'], {
  cwd: root,
  stdio: 'inherit',
});
chmodSync(join(dist, 'cni-debug.cjs'), 0o755);
// A library, not a program; and the loader refuses one that others may write.
chmodSync(join(dist, 'koffi.node'), 0o644);

const bun = executableOf('bun', 'bun');
writeFileSync(
  join(dist, 'tsconfig.json'),
  JSON.stringify({ compilerOptions: { paths: { koffi: [require.resolve(koffi)] } } }),
);
compile();
// A second time, with what every call needs lying together: a millisecond less to read.
compile(...orderFiles().map((file) => `--bytecode-order=${file}`));

/** A program that a package brings. */
function executableOf(name, program) {
  const file = `${name}/package.json`;
  return join(dirname(require.resolve(file)), require(file).bin[program]);
}

/** From the source, not from the bundle: what a call does not import is not read then, which is most of it. */
function compile(...options) {
  execFileSync(
    bun,
    [
      'build',
      '--compile',
      '--bytecode',
      '--format=esm',
      '--splitting',
      '--minify',
      '--target=bun',
      // A call is over before compiled code could pay for its compiler, which takes a third of the time otherwise.
      '--compile-jit-policy=100',
      // Nothing in the folder that a runtime happens to stand in may change what a plugin does.
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      // As above: not Koffi's own loader.
      '--tsconfig-override=dist/tsconfig.json',
      ...options,
      'src/main.ts',
      '--outfile=dist/cni-debug',
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** Which functions calls that need neither root nor a network have run, in order. */
function orderFiles() {
  const log = { cniOutput: false, journal: false };
  const status = { cniVersion: '1.1.0', name: 'order', bridge: 'none', ipam: {} };
  const prevResult = { cniVersion: '1.1.0', ips: [{ address: '10.0.0.1/24' }] };
  const calls = [
    ['STATUS', { ...status, type: 'bridge' }],
    ['ADD', { ...status, type: 'debug', ipam: undefined, prevResult, validate: 'warn', ...log }],
  ];
  return calls.map(([command, configuration]) => {
    const file = join(dist, `${command}.order`);
    execFileSync(join(dist, 'cni-debug'), {
      argv0: configuration.type,
      input: JSON.stringify(configuration),
      env: { ...attachment, CNI_COMMAND: command, BUN_BYTECODE_ORDER_OUT: file },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    return file;
  });
}

mkdirSync(join(dist, 'bin'));
for (const name of names) symlinkSync('../cni-debug', join(dist, 'bin', name));
for (const file of readdirSync(dist).filter((name) => /order$|json$/.test(name))) rmSync(join(dist, file));
console.log(
  `built ${names.map((name) => `dist/bin/${name}`).join(', ')} -> ${readlinkSync(join(dist, 'bin', names[0]))}`,
);
