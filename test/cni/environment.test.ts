import { describe, expect, test } from 'bun:test';
import { readParameters } from '../../src/cni/environment.ts';

const complete = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/c1',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};

test.each([
  ['ADD', ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME']],
  ['CHECK', ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME']],
  ['DEL', ['CNI_CONTAINERID', 'CNI_IFNAME']],
  ['GC', ['CNI_PATH']],
  ['STATUS', []],
])('%s needs %p', (command, names) => {
  if (names.length === 0) expect(readParameters({ CNI_COMMAND: command }).command).toBe(command as never);
  else {
    const message = `required env variables [${names.join(',')}] missing`;
    expect(() => readParameters({ CNI_COMMAND: command })).toThrow(message);
  }
  for (const name of names) {
    const environment = { ...complete, CNI_COMMAND: command, [name]: '' };
    expect(() => readParameters(environment)).toThrow(`required env variables [${name}] missing`);
  }
  for (const name of Object.keys(complete).filter(
    (name) => name !== 'CNI_COMMAND' && !names.includes(name),
  )) {
    expect(() => readParameters({ ...complete, CNI_COMMAND: command, [name]: undefined })).not.toThrow();
  }
});

describe('malformed values', () => {
  test.each([
    ['CNI_COMMAND', 'add', 'unknown CNI_COMMAND: add'],
    ['CNI_CONTAINERID', '-x', 'CNI_CONTAINERID: "-x" must begin with a letter or digit'],
    ['CNI_CONTAINERID', 'a/b', 'CNI_CONTAINERID: "a/b" must begin'],
    ['CNI_IFNAME', 'sixteencharacter', 'CNI_IFNAME: "sixteencharacter" is longer than 15 bytes'],
    ['CNI_IFNAME', 'ééééééééé', 'is longer than 15 bytes'],
    ['CNI_IFNAME', '..', 'CNI_IFNAME: ".." is not the name of an interface'],
    ['CNI_IFNAME', 'a b', 'must have no "/", ":" or white space'],
    ['CNI_IFNAME', 'a:b', 'must have no "/", ":" or white space'],
    ['CNI_IFNAME', 'a/b', 'must have no "/", ":" or white space'],
    ['CNI_IFNAME', 'a\u0085b', 'must have no "/", ":" or white space'],
  ])('%s=%j', (name, value, message) => {
    expect(() => readParameters({ ...complete, [name]: value })).toThrow(message);
  });

  test('count before what is missing, as in skel', () => {
    expect(() => readParameters({ CNI_COMMAND: 'ADD', CNI_IFNAME: '..' })).toThrow('CNI_IFNAME');
  });

  test('do not count where the command does not need the variable', () => {
    expect(() =>
      readParameters({ CNI_COMMAND: 'STATUS', CNI_CONTAINERID: '-', CNI_IFNAME: '..' }),
    ).not.toThrow();
  });
});
