import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { readersByType } from '../../src/cli/plugin-readers.ts';
import { LintContext } from '../../src/lint/context.ts';
import { readTarget } from '../../src/lint/directory.ts';
import { typesIn } from '../../src/lint/executable-use.ts';
import type { Finding } from '../../src/lint/finding.ts';
import type { HostPlace } from '../../src/lint/host-network.ts';
import { lint } from '../../src/lint/lint.ts';
import { pluginsOf } from '../../src/lint/linted-plugin.ts';
import { surveyPlugins } from '../../src/lint/plugin-survey.ts';

/** What lies on a node: files by name, plugins by type as scripts, and what its network has. */
export interface Site {
  /** A text, or what makes the file at a path. `‸` marks where a finding is expected, and is not written. */
  readonly files: Readonly<Record<string, string | ((path: string) => void)>>;
  /** Only this one is looked at, and not the directory. */
  readonly single?: string;
  /** Absent: the machine is not looked at. */
  readonly plugins?: Readonly<Record<string, string>>;
  readonly host?: readonly HostPlace[];
  /** What else is to be done before it is looked at. */
  readonly prepare?: (folder: string, plugins: string) => void;
}

export interface Looked {
  readonly findings: readonly Finding[];
  /** As `name:line:column` of each mark. */
  readonly marks: readonly string[];
}

/** A script that answers VERSION, as a plugin of the reference does. */
export function plugin(...versions: string[]): string {
  return `#!/bin/sh\necho '${JSON.stringify({ cniVersion: '1.0.0', supportedVersions: versions })}'\n`;
}

export const everyVersion = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

/** Makes the site in a folder of its own, looks at it, and takes it away. Files are named without the folder. */
export async function look({ files, single, plugins, host = [], prepare }: Site): Promise<Looked> {
  const root = mkdtempSync(join(tmpdir(), 'cni-debug-test-'));
  const [folder, bin] = [join(root, 'net.d'), join(root, 'bin')];
  try {
    for (const path of [folder, bin]) mkdirSync(path, { mode: 0o755 });
    const marks = Object.entries(files).flatMap(([name, file]) => place(folder, name, file));
    for (const [type, script] of Object.entries(plugins ?? {})) {
      writeFileSync(join(bin, type), script);
      chmodSync(join(bin, type), 0o755);
    }
    prepare?.(folder, bin);
    const read = readTarget(single === undefined ? folder : join(folder, single));
    const found = await surveyPlugins(
      typesIn(read.files.flatMap(pluginsOf)),
      bin,
      Object.keys(readersByType),
    );
    const machine = { pluginPath: bin, plugins: found, host: { places: host } };
    const context = new LintContext(
      read.files,
      readersByType,
      read.directory,
      plugins === undefined && host.length === 0 && prepare === undefined ? undefined : machine,
    );
    const named = (text: string) =>
      text.replaceAll(`${folder}/`, '').replaceAll(folder, '.').replaceAll(bin, 'BIN');
    const findings = lint(context).map((finding) => ({
      ...finding,
      file: relative(folder, finding.file) || '.',
      message: named(finding.message),
      fix: named(finding.fix),
    }));
    return { findings, marks };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export function placeText({ file, place }: Finding): string {
  return `${file}:${place?.line ?? 1}:${place?.column ?? 1}`;
}

function place(folder: string, name: string, file: string | ((path: string) => void)): string[] {
  const path = join(folder, name);
  if (typeof file !== 'string') {
    file(path);
    return [];
  }
  const marks: string[] = [];
  for (let rest = file, before = ''; rest.includes('‸'); ) {
    const [head = '', ...more] = rest.split('‸');
    before += head;
    const lines = before.split('\n');
    marks.push(`${name}:${lines.length}:${(lines.at(-1) ?? '').length + 1}`);
    rest = more.join('‸');
  }
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, file.replaceAll('‸', ''));
  chmodSync(path, 0o644);
  return marks;
}
