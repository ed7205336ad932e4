import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, answered } from '../../program.ts';
import { requires } from '../../requirements.ts';
import { ours } from '../implementations.ts';
import { startIn } from '../namespace-command.ts';
import { answersPing } from '../packets.ts';
import { type Pod, Site, succeeded } from '../site.ts';

// biome-ignore lint/suspicious/noExplicitAny: a configuration and an answer are read as JSON.
type Json = any;

const conflists = join(import.meta.dir, '../../../conflists');
const nameless = readFileSync(join(conflists, '99-loopback.conf'), 'utf8');

describe.if(requires('root', 'ip', 'ping'))('loopback', () => {
  let site: Site;
  let pod: Pod;
  beforeEach(() => {
    site = new Site();
    pod = site.pod();
  });
  afterEach(() => site[Symbol.dispose]());

  /** With nothing in the environment but what is given. */
  const bare = (command: string, configuration: Json, variables: Record<string, string> = {}) => {
    const attachment = { CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_NETNS: pod.netns };
    const environment = { CNI_COMMAND: command, ...attachment, ...variables };
    const stdin = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
    return startIn(site.node, [join(ours.folder, 'loopback')], { environment, stdin });
  };
  const isUp = () => JSON.parse(site.inPod(pod, 'ip', '-j', 'link', 'show', 'lo'))[0].flags.includes('UP');
  const configuration = (keys: Json = {}) => ({
    cniVersion: '1.0.0',
    name: 'net',
    type: 'loopback',
    ...keys,
  });
  const error = (answer: Answer) => {
    expect(answer.status).toBe(1);
    return answered(answer);
  };

  test('99-loopback.conf, which has no name, needs neither PATH nor CNI_PATH nor a CNI_ARGS that it can read', async () => {
    expect(isUp()).toBeFalse();
    const answer = await bare('ADD', nameless, { CNI_ARGS: 'none', CNI_IFNAME: 'eth7' });
    // Without a version it is the first one's result.
    expect(answered(succeeded(answer))).toMatchObject({
      ip4: { ip: '127.0.0.1/8' },
      ip6: { ip: '::1/128' },
    });
    for (const address of ['127.0.0.1', '::1']) expect(answersPing(pod.netns, address)).toBeTrue();
    expect(succeeded(await bare('DEL', nameless)).stdout).toBe('');
    expect(isUp()).toBeFalse();
  });

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])(
    'ADD and DEL in %s, each as often as they like',
    async (cniVersion) => {
      const conf = configuration({ cniVersion });
      const addresses = ['127.0.0.1/8', '::1/128'];
      const interfaces = [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: pod.netns }];
      const middle = { interfaces, ips: addresses.map((address) => ({ address, interface: 0 })) };
      const oldest = { ip4: { ip: addresses[0] }, ip6: { ip: addresses[1] } };
      for (let time = 0; time < 2; time++) {
        const result = answered(succeeded(await bare('ADD', conf)));
        expect(result).toMatchObject({ cniVersion, ...(cniVersion < '0.3' ? oldest : middle) });
      }
      for (let time = 0; time < 2; time++) {
        succeeded(await bare('DEL', conf));
        expect(isUp()).toBeFalse();
      }
    },
  );

  test('without IPv6 in the container there is one address, and that is no error', async () => {
    site.inPod(pod, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
    const result = answered(succeeded(await bare('ADD', configuration())));
    expect(result.ips).toEqual([{ address: '127.0.0.1/8', interface: 0 }]);
    succeeded(await bare('CHECK', configuration({ prevResult: result })));
  });

  test('prevResult is passed on as it came, and lo is up all the same', async () => {
    const prevResult = {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'eth0', mac: '0a:58:0a:01:00:02', sandbox: pod.netns }],
      ips: [{ address: '10.1.0.2/24', interface: 0 }],
      'example.com/more': [1],
    };
    expect(answered(succeeded(await bare('ADD', configuration({ prevResult }))))).toEqual(prevResult);
    expect(isUp()).toBeTrue();
    // That eth0 is not there is for whoever made it to say.
    succeeded(await bare('CHECK', configuration({ prevResult })));
    expect(error(await bare('ADD', configuration({ prevResult: { ips: 5 } })))).toMatchObject({ code: 7 });
  });

  test('CHECK names all that differs, and needs no prevResult', async () => {
    const prevResult = answered(succeeded(await bare('ADD', configuration())));
    succeeded(await bare('CHECK', configuration({ prevResult })));
    succeeded(await bare('CHECK', configuration()));
    for (const address of ['127.0.0.1/8', '::1/128'])
      site.inPod(pod, 'ip', 'addr', 'del', address, 'dev', 'lo');
    site.inPod(pod, 'ip', 'link', 'set', 'lo', 'down');
    const { code, msg } = error(await bare('CHECK', configuration({ prevResult })));
    expect(code).toBe(100);
    expect(msg).toStartWith('3 differences');
    for (const part of ['loopback interface is down', '127.0.0.1/8', '::1/128']) expect(msg).toContain(part);
    expect(error(await bare('CHECK', configuration()))).toMatchObject({ code: 100 });
  });

  test('an address of the network on lo is refused before anything is done', async () => {
    site.inPod(pod, 'ip', 'addr', 'add', '10.9.9.9/32', 'dev', 'lo');
    const { msg, details } = error(await bare('ADD', configuration()));
    expect(msg).toBe('loopback interface found with non-loopback address "10.9.9.9"');
    expect(details).toContain('ip addr del 10.9.9.9/32 dev lo');
    expect(isUp()).toBeFalse();
  });

  test('the node’s own namespace is refused, and its lo stays as it is', async () => {
    site.onNode('ip', 'addr', 'add', '10.9.9.9/32', 'dev', 'lo');
    const before = site.onNode('ip', 'addr', 'show', 'lo');
    for (const command of ['ADD', 'CHECK', 'DEL']) {
      expect(error(await bare(command, configuration(), { CNI_NETNS: site.node }))).toMatchObject({
        code: 8,
      });
    }
    expect(site.onNode('ip', 'addr', 'show', 'lo')).toBe(before);
  });

  test('DEL of a container that is gone succeeds, also without CNI_NETNS', async () => {
    site.removeNamespace(pod);
    succeeded(await bare('DEL', configuration()));
    succeeded(await bare('DEL', configuration(), { CNI_NETNS: '' }));
    expect(error(await bare('ADD', configuration()))).toMatchObject({ code: 8 });
  });

  test('STATUS and GC have nothing to do, with and without name and CNI_PATH', async () => {
    for (const command of ['STATUS', 'GC']) {
      expect(await bare(command, { cniVersion: '1.1.0', type: 'loopback' })).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
      expect(error(await bare(command, nameless))).toMatchObject({ code: 1 });
    }
    expect(error(await bare('ADD', configuration({ name: 'a b' })))).toMatchObject({ code: 7 });
  });

  test('what loopback does without, the others still need', async () => {
    const bridge = (environment: Record<string, string>, stdin: string) =>
      startIn(site.node, [join(ours.folder, 'bridge')], { environment, stdin });
    const { msg } = error(await bridge({ CNI_COMMAND: 'GC' }, '{"cniVersion":"1.1.0","name":"net"}'));
    expect(msg).toContain('[CNI_PATH]');
    const noName = await bridge({ CNI_COMMAND: 'GC', CNI_PATH: '/none' }, '{"cniVersion":"1.1.0"}');
    expect(error(noName)).toMatchObject({ code: 7, msg: 'missing network name' });
  });

  test('98-loopback.conflist as a list, and loopback as the delegate of debug', async () => {
    const list = JSON.parse(readFileSync(join(conflists, '98-loopback.conflist'), 'utf8'));
    const [plugin] = list.plugins;
    const { log, journal } = site.scratch;
    const common = { cniVersion: list.cniVersion, name: list.name };
    const wrapped = { type: 'debug', cniOutput: log, journal: { path: journal }, delegate: plugin };
    const direct = answered(succeeded(await bare('ADD', { ...common, ...plugin })));
    succeeded(await bare('DEL', { ...common, ...plugin, prevResult: direct }));
    const call = (command: string, keys: Json = {}) =>
      site.call(command, { ...common, ...wrapped, ...keys }, { pod, args: 'none' });
    const prevResult = answered(succeeded(await call('ADD')));
    expect(prevResult).toEqual(direct);
    succeeded(await call('CHECK', { prevResult }));
    succeeded(await call('DEL', { prevResult }));
    expect(isUp()).toBeFalse();
    const delegates = site.scratch.records().flatMap(({ delegates = [] }) => delegates);
    expect(delegates.map(({ command, inProcess }: Json) => [command, inProcess])).toEqual([
      ['ADD', true],
      ['CHECK', true],
      ['DEL', true],
    ]);
  });
});
