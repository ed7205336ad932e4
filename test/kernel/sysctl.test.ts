import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { type Namespace, openNamespace, runIn } from '../../src/kernel/netns.ts';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.ts';
import { SystemError } from '../../src/kernel/system-error.ts';
import { requires } from '../requirements.ts';
import { type ScratchNamespace, scratchNamespace } from './scratch.ts';

test.each(['net//ipv4', '/net', 'net/ipv4/', 'net/ipv4/conf/../ip_forward', 'net/./ipv4', ''])(
  '%p is no path of a setting',
  (path) => {
    expect(() => readSysctl(path)).toThrow(RangeError);
    expect(() => writeSysctl(path, '1')).toThrow(RangeError);
  },
);

test('a setting that there is not is told from all else by ENOENT', () => {
  expect(() => readSysctl('net/ipv6/conf/no-such-link/accept_ra')).toThrow(
    expect.objectContaining({
      name: 'SystemError',
      code: 'ENOENT',
      message: 'open "/proc/sys/net/ipv6/conf/no-such-link/accept_ra": No such file or directory (ENOENT)',
    }) as unknown as Error,
  );
});

describe.if(requires('root', 'ip'))('in a namespace', () => {
  let scratch: ScratchNamespace;
  let namespace: Namespace;

  beforeAll(() => {
    scratch = scratchNamespace('link add eth0.100 type bridge');
    namespace = openNamespace(scratch.path);
  });
  afterAll(() => {
    namespace.close();
    scratch.remove();
  });

  test('read and written there, and not here', () => {
    const path = 'net/ipv4/conf/default/arp_notify';
    const here = readSysctl(path);
    runIn(namespace, () => {
      expect(writeSysctl(path, '1')).toBe(true);
      expect(readSysctl(path)).toBe('1');
    });
    expect(readSysctl(path)).toBe(here);
    expect(runIn(namespace, () => readSysctl(path))).toBe('1');
  });

  test('a link with a dot in its name', () => {
    const path = 'net/ipv4/conf/eth0.100/proxy_arp';
    expect(runIn(namespace, () => [writeSysctl(path, '1'), readSysctl(path)])).toEqual([true, '1']);
    expect(() => readSysctl(path)).toThrow(SystemError);
  });

  test('not written when it is so already', () => {
    const path = 'net/ipv4/ip_forward';
    expect(runIn(namespace, () => [writeSysctl(path, '1'), writeSysctl(path, '1')])).toEqual([true, false]);
  });

  test('several numbers', () => {
    const path = 'net/ipv4/ip_local_port_range';
    expect(runIn(namespace, () => [writeSysctl(path, '1024\t2048'), readSysctl(path)])).toEqual([
      true,
      '1024\t2048',
    ]);
  });

  test('a value that it cannot have', () => {
    expect(() => runIn(namespace, () => writeSysctl('net/ipv4/ip_forward', 'maybe'))).toThrow(
      'write "/proc/sys/net/ipv4/ip_forward": Invalid argument (EINVAL)',
    );
  });

  test('one who may not', () => {
    const program = `
      const { writeSysctl } = await import(${JSON.stringify(`${import.meta.dir}/../../src/kernel/sysctl.ts`)});
      const { openNamespace, enterNamespace } = await import(${JSON.stringify(`${import.meta.dir}/../../src/kernel/netns.ts`)});
      enterNamespace(openNamespace(${JSON.stringify(scratch.path)}));
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      try { writeSysctl('net/ipv4/conf/lo/proxy_arp', '1'); } catch (error) { console.log(String(error)); }`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    expect(stdout + stderr).toBe(
      'SystemError: open "/proc/sys/net/ipv4/conf/lo/proxy_arp": Permission denied (EACCES)\n',
    );
  });
});
