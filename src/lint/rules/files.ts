import { lookUp } from '../../cni/keys.ts';
import type { LintedFile } from '../linted-file.ts';
import { extensionOf, isLoaded } from '../loaded-name.ts';
import type { Rule } from '../rule.ts';
import { shellWord } from '../shell-word.ts';

export const unreadableFile: Rule = {
  id: 'L003',
  name: 'unreadable-file',
  severity: 'error',
  summary:
    'What a runtime would read as a configuration is no regular file, is a broken link, or is too long.',
  *check({ files }) {
    for (const file of files) {
      if (file.obstacle === undefined) continue;
      const message = `cannot be read: ${file.obstacle}`;
      yield { file, message, fix: `remove it: rm ${shellWord(file.path)}` };
    }
  },
};

export const wrongExtension: Rule = {
  id: 'L004',
  name: 'wrong-extension',
  severity: 'error',
  summary: 'A list of plugins that is not called `.conflist`, or one plugin that is: runtimes refuse it.',
  *check({ files }) {
    for (const file of files) {
      const value = file.document?.value;
      if (value === undefined) continue;
      const [isList, isPlugin] = ['plugins', 'type'].map((key) => lookUp(value, key) !== undefined);
      const { path, isList: isNamedList } = file;
      const renamed = `${path.slice(0, path.length - extensionOf(path).length)}.${isNamedList ? 'conf' : 'conflist'}`;
      const fix = `mv ${shellWord(path)} ${shellWord(renamed)}`;
      if (isList && !isPlugin && !isNamedList)
        yield { file, path: 'plugins', side: 'key', fix, message: 'a list of plugins must be a .conflist' };
      if (isPlugin && !isList && isNamedList)
        yield { file, path: 'type', side: 'key', fix, message: 'one plugin without a list must be a .conf' };
    }
  },
};

export const backupLoaded: Rule = {
  id: 'L027',
  name: 'backup-loaded',
  severity: 'warning',
  summary: 'A file that its name calls a backup or hidden is loaded all the same, by its extension.',
  *check({ files, directory }) {
    for (const file of directory === undefined ? [] : files) {
      if (!isBackup(file.name)) continue;
      const message = `its name is that of ${file.name.startsWith('.') ? 'a hidden file' : 'a backup'}, and runtimes load it: they go by the extension alone`;
      yield {
        file,
        message,
        fix: `move it out of the directory, or rename it: mv ${shellWord(file.path)} ${shellWord(`${file.path}.bak`)}`,
      };
    }
  },
};

export const notLoaded: Rule = {
  id: 'L028',
  name: 'not-loaded',
  severity: 'info',
  summary: 'What looks like a configuration is not loaded: another extension follows, or it is a directory.',
  *check({ directory }) {
    for (const { name, path, isDirectory } of directory?.others ?? []) {
      if (isDirectory && isLoaded(name))
        yield {
          file: path,
          message: 'is a directory, and no runtime looks into it',
          fix: `mv ${shellWord(path)} ${shellWord(`${path}.d`)}`,
        };
      if (isDirectory || !looksLoaded(name)) continue;
      const message = `no runtime loads it: its extension is "${extensionOf(name)}"`;
      yield {
        file: path,
        message,
        fix: 'remove it, or give it the extension .conf or .conflist if it is meant',
      };
    }
  },
};

export const pickedFile: Rule = {
  id: 'L026',
  name: 'picked-file',
  severity: 'info',
  summary: 'Of several files runtimes take the first one, by name; the others are not for pods.',
  *check({ files, directory }) {
    const picked = files.find(({ network }) => network !== undefined);
    if (directory === undefined || picked === undefined || files.length < 2) return;
    const others = files.filter((file) => file !== picked && file.network !== undefined);
    const before = files.slice(0, files.indexOf(picked)).map(({ name }) => name);
    const said = [
      `containerd and CRI-O pick this file, the first by name${before.length > 0 ? ' that can be loaded' : ''}`,
      ...(others.length > 0 ? [`they ignore ${namesOf(others)}`] : []),
      ...(before.length > 0 ? [`containerd gives up at ${before[0]}, which cannot be loaded`] : []),
      'cnitool, Multus and Podman find a network by its name',
    ];
    yield {
      file: picked,
      message: said.join('; '),
      fix: 'nothing, if that is meant; else give the file that is to be picked the lowest number',
    };
  },
};

export const noNetwork: Rule = {
  id: 'L032',
  name: 'no-network',
  severity: 'error',
  summary: 'The directory has no file that a runtime can load: no pod gets a network.',
  *check({ files, directory }) {
    if (directory === undefined || files.some(({ network }) => network !== undefined)) return;
    const message =
      files.length === 0
        ? 'has no .conf, .conflist or .json file: no pod gets a network'
        : `has no file that can be loaded: no pod gets a network. ${refusals(files)}`;
    yield { file: directory.path, message, fix: 'put the configuration of a network here' };
  },
};

function looksLoaded(name: string): boolean {
  return !isLoaded(name) && /\.(conf|conflist|json)([._~-]|$)/i.test(name);
}

function isBackup(name: string): boolean {
  return /^[.#~]|~|[._-](bak|backup|bkp|old|orig|save|saved|copy|tmp|disabled|dpkg-\w+|rpm\w+)[._-]/i.test(
    name,
  );
}

function namesOf(files: readonly LintedFile[]): string {
  return files.map(({ name }) => name).join(', ');
}

function refusals(files: readonly LintedFile[]): string {
  return files.map(({ name, refusal, obstacle }) => `${name}: ${refusal ?? obstacle}`).join('; ');
}
