import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { ours, reference } from '../implementations.ts';
import { type Pod, Site } from '../site.ts';
import { difference } from '../snapshot.ts';

let site: Site;
let pod: Pod;
beforeEach(() => {
  site = new Site();
  pod = site.pod('pod');
});
afterEach(() => site[Symbol.dispose]());

/** An IPAM plugin `fake` that notes its commands and gives `address`. */
function fakeIpam(address: string): { searched: string[]; commands: () => string[] } {
  const { folder } = site.scratch;
  const result = JSON.stringify({ cniVersion: '1.0.0', ips: [{ address, gateway: '10.50.0.1' }] });
  const script = `#!/bin/sh
    cat > ${folder}/stdin.$CNI_COMMAND; echo $CNI_COMMAND >> ${folder}/commands
    [ "$CNI_COMMAND" != ADD ] || echo '${result}'`;
  writeFileSync(join(folder, 'fake'), script, { mode: 0o755 });
  const commands = join(folder, 'commands');
  const noted = () => (existsSync(commands) ? readFileSync(commands, 'utf8').trim().split('\n') : []);
  return { searched: [folder], commands: noted };
}

describe.if(requires('root', 'ip', 'nft'))('another IPAM plugin', () => {
  test('is given the configuration and every command, and its address is used', async () => {
    const { searched, commands } = fakeIpam('10.50.3.3/16');
    const configuration = site.configuration({
      cniVersion: '1.1.0',
      ipam: { type: 'fake', own: { key: 1 } },
    });
    const call = { pod, searched };
    const prevResult = await site.add(configuration, call);
    expect(prevResult.ips).toEqual([{ address: '10.50.3.3/16', gateway: '10.50.0.1', interface: 2 }]);
    expect(await site.call('CHECK', { ...configuration, prevResult }, call)).toMatchObject({ status: 0 });
    await site.del({ ...configuration, prevResult }, call);
    expect(commands()).toEqual(['ADD', 'CHECK', 'DEL']);
    expect(JSON.parse(readFileSync(join(site.scratch.folder, 'stdin.ADD'), 'utf8'))).toEqual(configuration);
  });

  test('finds the interface there when it is asked for an address, as a DHCP client needs it', async () => {
    const { searched } = fakeIpam('10.50.3.3/16');
    const seen = join(site.scratch.folder, 'devices');
    const look = `#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || nsenter --net=$CNI_NETNS cat /proc/net/dev > ${seen}\n`;
    const fake = join(site.scratch.folder, 'fake');
    writeFileSync(fake, look + readFileSync(fake, 'utf8'));
    await site.add(site.configuration({ ipam: { type: 'fake' } }), { pod, searched });
    expect(readFileSync(seen, 'utf8')).toContain('eth0:');
  });

  test('is given STATUS and GC with the attachments (ours)', async () => {
    const { searched, commands } = fakeIpam('10.50.3.3/16');
    const attachments = { 'cni.dev/valid-attachments': [{ containerID: 'a', ifname: 'eth0' }] };
    const configuration = site.configuration({ cniVersion: '1.1.0', ipam: { type: 'fake' }, ...attachments });
    for (const command of ['STATUS', 'GC']) {
      expect(await site.call(command, configuration, { searched })).toMatchObject({ status: 0, stdout: '' });
    }
    expect(commands()).toEqual(['STATUS', 'GC']);
    expect(JSON.parse(readFileSync(join(site.scratch.folder, 'stdin.GC'), 'utf8'))).toMatchObject(
      attachments,
    );
  });

  test('is told DEL when a later step of ADD fails', async () => {
    const { searched, commands } = fakeIpam('ff02::5/64');
    await site.fail('ADD', site.configuration({ ipam: { type: 'fake' } }), { pod, searched });
    expect(commands()).toEqual(['ADD', 'DEL']);
  });

  test('is told DEL without a namespace too', async () => {
    const { searched, commands } = fakeIpam('10.50.3.3/16');
    const configuration = site.configuration({ ipam: { type: 'fake' } });
    await site.add(configuration, { pod, searched });
    await site.del(configuration, { pod, searched, netns: '' });
    expect(commands()).toEqual(['ADD', 'DEL']);
  });

  test('that is gone does not keep DEL from removing the rest (ours)', async () => {
    const { searched } = fakeIpam('10.50.3.3/16');
    const configuration = site.configuration({ ipam: { type: 'fake' }, isGateway: true, ipMasq: true });
    const before = await site.warmUp(configuration, { searched });
    await site.add(configuration, { pod, searched });
    await site.fail('DEL', configuration, { pod });
    expect(difference(before, site.snapshot())).toEqual([]);
    expect(site.links(pod.netns)).toEqual(['lo']);
  });
});

describe.if(requires('root', 'ip', 'nft', 'reference-plugins'))('static of the reference', () => {
  test('gives addresses of both families', async () => {
    const addresses = [
      { address: '10.50.3.3/24', gateway: '10.50.3.1' },
      { address: 'fd00:50::3/64', gateway: 'fd00:50::1' },
    ];
    const ipam = { type: 'static', addresses, routes: [{ dst: '0.0.0.0/0' }] };
    const configuration = site.configuration({ ipam, isGateway: true });
    const call = { pod, searched: [reference.folder] };
    const before = await site.warmUp(configuration, call);
    const prevResult = await site.add(configuration, call);
    expect(prevResult.ips).toEqual(addresses.map((one) => ({ ...one, interface: 2 })));
    expect(await site.call('CHECK', { ...configuration, prevResult }, call)).toMatchObject({ status: 0 });
    await site.del({ ...configuration, prevResult }, call);
    expect(difference(before, site.snapshot())).toEqual([]);
  });
});

describe.if(requires('root', 'ip', 'nft', 'strace'))('host-local is built in (ours)', () => {
  test('no program is started, by no command, and none is looked for', async () => {
    const trace = join(site.scratch.folder, 'trace');
    const strace = Bun.which('strace', { PATH: ours.path }) ?? 'strace';
    const call = { pod, through: [strace, '-f', '-qq', '-e', 'trace=execve', '-A', '-o', trace] };
    const keys = { cniVersion: '1.1.0', isGateway: true, ipMasq: true, macspoofchk: true };
    const configuration = site.configuration(keys);
    const prevResult = await site.add(configuration, call);
    for (const command of ['CHECK', 'STATUS', 'GC', 'DEL']) {
      const { status } = await site.call(command, { ...configuration, prevResult }, call);
      expect({ command, status }).toEqual({ command, status: 0 });
    }
    const started = readFileSync(trace, 'utf8').match(/execve\("[^"]*/g) ?? [];
    expect(started).toHaveLength(5);
    for (const one of started) expect(one).toEndWith('/bridge');
  });
});
