import { expect, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { CniError } from '../../src/cni/error.ts';
import { findPlugin } from '../../src/runtime/find-plugin.ts';
import { pluginFailure } from '../../src/runtime/plugin-outcome.ts';
import { PluginFolder } from './plugin-folder.ts';

function errorOf(type: string, cniPath: string): string {
  try {
    return `found ${findPlugin(type, cniPath)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(CniError);
    expect((error as CniError).code).toBe(pluginFailure);
    return (error as CniError).message;
  }
}

test('the first folder that has the file wins', () => {
  using first = new PluginFolder();
  using second = new PluginFolder();
  second.script('bridge', '');
  expect(findPlugin('bridge', `${first.path}:${second.path}`)).toBe(`${second.path}/bridge`);
  first.script('bridge', '');
  expect(findPlugin('bridge', `${first.path}/:${second.path}`)).toBe(`${first.path}/bridge`);
});

test('a link to an executable is followed', () => {
  using folder = new PluginFolder();
  symlinkSync(folder.script('real', ''), `${folder.path}/link`);
  expect(findPlugin('link', folder.path)).toBe(`${folder.path}/link`);
});

test('an empty folder is the working directory', () => {
  using folder = new PluginFolder();
  folder.script('bridge', '');
  const before = process.cwd();
  process.chdir(folder.path);
  try {
    expect(findPlugin('bridge', '/nowhere:')).toBe('./bridge');
  } finally {
    process.chdir(before);
  }
});

test('a folder and a broken link are passed over', () => {
  using first = new PluginFolder();
  using second = new PluginFolder();
  mkdirSync(`${first.path}/bridge`);
  symlinkSync('/nowhere/portmap', `${first.path}/portmap`);
  const cniPath = `${first.path}:${second.path}`;
  const searched = `${first.path}, ${second.path} (CNI_PATH)`;
  expect(errorOf('bridge', cniPath)).toBe(
    `plugin "bridge" was not found in ${searched}, but ${first.path}/bridge is a directory`,
  );
  expect(errorOf('portmap', cniPath)).toBe(
    `plugin "portmap" was not found in ${searched}, but ${first.path}/portmap is a broken link to /nowhere/portmap`,
  );
  second.script('bridge', '');
  expect(findPlugin('bridge', cniPath)).toBe(`${second.path}/bridge`);
});

test('a file that is not executable is an error, as it is for libcni, whatever comes later', () => {
  using first = new PluginFolder();
  using second = new PluginFolder();
  const path = first.file('bridge', '#!/bin/sh\n', 0o644);
  second.script('bridge', '');
  expect(errorOf('bridge', `${first.path}:${second.path}`)).toBe(
    `plugin "bridge" was found at ${path} but is not executable: chmod +x ${path}`,
  );
});

test.each([
  ['bridge', '/nowhere:/nor/here', 'plugin "bridge" was not found in /nowhere, /nor/here (CNI_PATH)'],
  ['bridge', '', 'plugin "bridge" cannot be searched for: CNI_PATH is empty'],
  [
    '../bridge',
    '/opt',
    'the plugin type "../bridge" is a path: it must be a file name, searched in CNI_PATH',
  ],
  ['', '/opt', 'no plugin type is given: "type" is missing or empty'],
])('%j in %j', (type, cniPath, message) => {
  expect(errorOf(type, cniPath)).toBe(message);
});
