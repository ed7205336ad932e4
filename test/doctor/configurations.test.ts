import { describe, expect, test } from 'bun:test';
import { bridgeNetwork, debugPlugin } from '../cli/operator-node.ts';
import { canRun, diagnosis, doctor, findings, script, soundNode, wrapping } from './doctor-node.ts';

const folder = '/etc/cni/net.d';

describe.if(canRun)('executables', () => {
  test('one that is missing is one finding, however many files name it', async () => {
    await using node = await soundNode();
    node.configure('20-one.conflist', { cniVersion: '1.1.0', name: 'one', plugins: [{ type: 'away' }] });
    node.configure('30-two.conflist', bridgeNetwork('two', '10.52.0.0/24', [{ type: 'away' }]));
    expect(await diagnosis(node)).toEqual(['D014 plugin away']);
    const [found] = await findings(node);
    expect(found?.severity).toBe('error');
    expect(found?.evidence.map(({ source }) => source.split(':')[0])).toEqual([
      `${folder}/20-one.conflist`,
      `${folder}/30-two.conflist`,
    ]);
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual([]);
    expect(await diagnosis(node, `${doctor} --network two`)).toEqual(['D014 plugin away']);
  });

  test('what runs inside of debug needs none; what it executes does', async () => {
    await using node = await soundNode();
    await node.sh('rm /opt/cni/bin/host-local /opt/cni/bin/loopback /opt/cni/bin/portmap');
    node.configure('20-inner.conflist', wrapping('inner', [{ type: 'loopback' }, { type: 'portmap' }]));
    expect(await diagnosis(node)).toEqual([]);
    const external = { ...debugPlugin, external: true, delegate: { type: 'loopback' } };
    node.configure('20-inner.conflist', { cniVersion: '1.1.0', name: 'inner', plugins: [external] });
    expect(await diagnosis(node)).toEqual(['D014 plugin loopback']);
  });

  test.each([
    ['its mode', 'chmod -x /opt/cni/bin/odd', 'is not executable'],
    [
      'its machine',
      "printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\363\\0\\1\\0\\0\\0' >/opt/cni/bin/odd",
      'the file is for riscv64',
    ],
    ['its interpreter', "printf '#!/none/sh\\n' >/opt/cni/bin/odd", 'its interpreter /none/sh is missing'],
    ['what it says', "printf '#!/bin/sh\\necho 1.0.0\\n' >/opt/cni/bin/odd", 'printed what is not JSON'],
    [
      'it crashes',
      "printf '#!/bin/sh\\nkill -9 $$\\n' >/opt/cni/bin/odd",
      'was killed by SIGKILL during VERSION',
    ],
  ])('one that does not work, by %s', async (_, breaking, cause) => {
    await using node = await soundNode();
    await script(node, 'odd', 'exit 0');
    node.configure('20-odd.conflist', wrapping('odd', { type: 'odd' }));
    expect(await diagnosis(node)).toEqual([]);
    await node.sh(breaking);
    expect(await diagnosis(node)).toEqual(['D015 plugin odd']);
    expect((await findings(node))[0]?.cause).toMatch(cause);
  });

  test('a version that a plugin does not know, and one that nobody knows', async () => {
    await using node = await soundNode();
    await script(node, 'odd', 'exit 0');
    const list = (cniVersion: string) => ({ cniVersion, name: 'odd', plugins: [{ type: 'odd' }] });
    node.configure('20-odd.conflist', list('0.3.1'));
    expect(await diagnosis(node)).toEqual(['D016 plugin odd']);
    node.configure('20-odd.conflist', list('9.9.9'));
    expect(await diagnosis(node)).toEqual([`D016 file ${folder}/20-odd.conflist`]);
    node.configure('20-odd.conflist', list('1.0.0'));
    expect(await diagnosis(node)).toEqual([]);
  });
});

describe.if(canRun)('configuration files', () => {
  const list = JSON.stringify(bridgeNetwork('new', '10.53.0.0/24'));

  test.each([
    ['no JSON', '05-new.conflist', list.slice(0, 80)],
    ['nothing', '05-new.conflist', ''],
    ['a list by the name of one plugin', '05-new.conf', list],
    [
      'one plugin by the name of a list',
      '05-new.conflist',
      '{"cniVersion": "1.0.0", "name": "new", "type": "bridge"}',
    ],
    ['no plugins', '05-new.conflist', '{"cniVersion": "1.0.0", "name": "new", "plugins": []}'],
    ['no type', '05-new.conf', '{"cniVersion": "1.0.0", "name": "new"}'],
  ])('one that no runtime loads: %s', async (_, file, content) => {
    await using node = await soundNode();
    node.configure(file, content);
    const [first, ...others] = await diagnosis(node);
    expect(first).toBe(`D017 file ${folder}/${file}`);
    expect(others.filter((line) => !line.startsWith('not looked at'))).toEqual([]);
    expect((await findings(node))[0]?.evidence[0]?.text).toMatch(/^L0\d\d /);
  });

  test('of another network, as far as it says one', async () => {
    await using node = await soundNode();
    node.configure('05-new.conf', list);
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual([]);
    expect(await diagnosis(node, `${doctor} --network new`)).toEqual([`D017 file ${folder}/05-new.conf`]);
  });

  test('no network at all, with what lies there instead', async () => {
    await using node = await soundNode();
    await node.sh(`mv ${folder}/10-lab.conflist ${folder}/10-lab.conflist.disabled`);
    expect(await diagnosis(node)).toEqual([`D017 file ${folder}`]);
    expect((await findings(node))[0]?.evidence[1]?.source).toBe(`${folder}/10-lab.conflist.disabled`);
    await node.sh(`rm -r ${folder}`);
    expect(await diagnosis(node)).toEqual([`D017 file ${folder}`]);
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual([]);
  });

  test('the only file cannot be loaded: that nothing is there follows from it', async () => {
    await using node = await soundNode();
    await node.sh(`truncate -s 50 ${folder}/10-lab.conflist`);
    const file = `D017 file ${folder}/10-lab.conflist`;
    expect(await diagnosis(node)).toEqual([file, `  D017 file ${folder}`]);
  });

  test('what plugins refuse: every error of a file in one finding', async () => {
    await using node = await soundNode();
    const ipam = { type: 'host-local', subnet: '10.61.0.0/24', rangeStart: '10.62.0.10' };
    const plugins = [{ type: 'bridge', bridge: 7, ipam }];
    node.configure('20-odd.conflist', { cniVersion: '1.1.0', name: 'odd', plugins });
    const [first] = await findings(node);
    expect(first).toMatchObject({ id: 'D018', severity: 'error', object: `file ${folder}/20-odd.conflist` });
    expect(first?.evidence.map(({ text }) => text.slice(0, 4)).sort()).toEqual(['L008', 'L023']);
    expect(first?.cause).toEndWith('; and 1 more');
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual([]);
  });

  test('none of: backups and other files beside a network, warnings of lint, two networks', async () => {
    await using node = await soundNode();
    node.configure('10-lab.conflist.bak', 'no JSON');
    node.configure('README.txt', 'no JSON');
    await node.sh(`mkdir -p ${folder}/whereabouts.d`);
    node.configure('20-more.conflist', bridgeNetwork('more', '10.54.0.0/24', [{ type: 'portmap', odd: 1 }]));
    expect((await node.type('lint')).status).toBe(1);
    expect(await diagnosis(node)).toEqual([]);
  });
});
