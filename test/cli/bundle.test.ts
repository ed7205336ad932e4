import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { bridgeNetwork, debugPlugin, OperatorNode } from './operator-node.ts';

const secrets = ['opensesame', 'hunter22', 'qwertz99', 'serial-4711', 'shibboleth', 'swordfish'];
/** Repeats what it was given where nothing tells that it is a secret. */
const chatty = `#!/bin/sh
[ "$CNI_COMMAND" != ADD ] || { echo "I got opensesame" >&2; echo '{"code": 77, "msg": "no door for opensesame"}'; exit 1; }
`;

describe.if(requires('root', 'ip', 'script', 'tar'))('bundle', () => {
  let node: OperatorNode;
  beforeAll(async () => {
    node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16', [debugPlugin]));
    const delegate = {
      type: 'chatty',
      token: 'opensesame',
      url: 'https://me:hunter22@host/',
      vpnSerial: 'serial-4711',
    };
    const plugins = [{ ...debugPlugin, redact: ['^vpn'], delegate }];
    node.configure('20-broken.conflist', { cniVersion: '1.0.0', name: 'broken', plugins });
    node.configure('30-damaged.conflist', '{ "name": ');
    node.write('/opt/cni/bin/chatty', chatty);
    await node.sh('chmod 755 /opt/cni/bin/chatty; mkdir /var/issue');
    // Of another network, of which doctor speaks, and of an attachment that is there.
    node.write('/opt/cni/bin/others', chatty.replaceAll('opensesame', 'shibboleth and swordfish'));
    await node.sh('chmod 755 /opt/cni/bin/others');
    const mystery = { type: 'others', mystery: 'shibboleth' };
    const others = [{ ...debugPlugin, redact: ['^myst'], delegate: mystery }];
    node.configure('40-others.conflist', { cniVersion: '1.0.0', name: 'others', plugins: others });
    await node.pod('other');
    expect((await node.type('add others other')).status).toBe(1);
    await node.typed('add lab other --ifname eth1 --args IgnoreUnknown=1;PASSWORD=swordfish');
    await node.pod('web');
    const environment = { API_TOKEN: 'qwertz99' };
    await node.typed('add lab web --args IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web', {
      environment,
    });
    await node.pod('bad');
    expect((await node.type('add broken bad --args PASSWORD=qwertz99', { environment })).status).toBe(1);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const unpacked = (file: string) =>
    node.sh(
      `rm -rf /var/issue/u; mkdir /var/issue/u; tar xzf ${file} -C /var/issue/u; cd /var/issue/u; find . -type f | sort`,
    );
  const json = (name: string) => JSON.parse(node.read(`/var/issue/u/cni-debug-bundle/${name}`));

  test('of a pod: records, configuration, versions, both namespaces, what explain knows', async () => {
    const list = await node.typed('bundle default/web -o /var/issue/web.tar.gz');
    expect((await unpacked('/var/issue/web.tar.gz')).split('\n').filter(Boolean)).toEqual(
      [
        ...['configuration/10-lab.conflist', 'configuration/at-add.json', 'container.json', 'contents.json'],
        ...['doctor.json', 'explain.json', 'node.json', 'record.json', 'records.ndjson', 'versions.json'],
      ].map((name) => `./cni-debug-bundle/${name}`),
    );
    expect(await node.sh('stat -c %a /var/issue/web.tar.gz')).toBe('600\n');
    expect(await node.sh('tar tvzf /var/issue/web.tar.gz | cut -c1-10 | sort -u')).toBe('-rw-------\n');
    expect(json('container.json').addresses.map(({ address }: { address: string }) => address)).toContain(
      '10.22.0.3',
    );
    expect(json('node.json').links.map(({ name }: { name: string }) => name)).toContain('br-lab');
    expect(json('node.json').rules.length).toBeGreaterThan(2);
    expect(json('versions.json').plugins.bridge).toMatchObject({ path: '/opt/cni/bin/bridge' });
    expect(json('versions.json').plugins.bridge.about).toContain('cni-debug');
    expect(json('versions.json').kernel).toContain((await node.sh('uname -r')).trim());
    expect(json('explain.json')[0].sections[0]).toMatchObject({ title: 'chain' });
    // The conflist that makes no sense is what doctor says of this node.
    expect(json('doctor.json').findings.map(({ id }: { id: string }) => id)).toContain('D017');
    const { files, missing } = json('contents.json');
    const sizes = await node.sh(
      'cd /var/issue/u/cni-debug-bundle; stat -c "%n %s" record.json versions.json',
    );
    for (const line of sizes.trim().split('\n')) {
      const [name, size] = line.split(' ');
      expect(files).toContainEqual(expect.objectContaining({ name, size: Number(size) }));
    }
    expect(missing).toContainEqual({
      name: 'configuration/30-damaged.conflist',
      reason: expect.stringContaining('is not JSON'),
    });
    for (const { name } of files) expect(list).toContain(`  ${name} `);
  });

  test('no secret is in it, not even where a plugin repeats it; and where they were is said', async () => {
    const journal = await node.sh('cat /var/log/cni-debug/journal.ndjson');
    const { id } = JSON.parse(
      journal
        .trim()
        .split('\n')
        .findLast((line) => line.includes('"code":77')) ?? '',
    );
    // That the test can fail: a mere word is left in a record.
    expect(journal).toContain('opensesame');
    expect(journal).toContain('no door for shibboleth and swordfish');
    const list = await node.typed(`bundle ${id} -o /var/issue/bad.tar.gz`);
    await unpacked('/var/issue/bad.tar.gz');
    expect(json('record.json')).toMatchObject({
      id,
      error: { code: 77, msg: expect.stringContaining('[redacted]') },
    });
    for (const secret of secrets) {
      expect(await node.sh(`grep -r -e '${secret}' /var/issue/u || true`)).toBe('');
      expect(list).not.toContain(secret);
    }
    expect(list).toContain('redacted: plugins[0].delegate.token');
    expect(list).toContain('redacted: plugins[0].delegate.url');
    expect(list).toContain('redacted: plugins[0].delegate.vpnSerial');
    expect(list).toContain('redacted: environment.API_TOKEN');
    expect(node.read('/var/issue/u/cni-debug-bundle/configuration/20-broken.conflist')).toContain('"chatty"');
  });

  test('its record can be replayed from it', async () => {
    await node.typed('bundle default/web -o /var/issue/again.tar.gz');
    await unpacked('/var/issue/again.tar.gz');
    const answer = await node.type('replay /var/issue/u/cni-debug-bundle/record.json --leave-out');
    expect(answer).toMatchObject({ status: 0 });
  });

  test('of a container that nobody has recorded', async () => {
    node.configure('50-quiet.conflist', bridgeNetwork('quiet', '10.26.0.0/16'));
    await node.pod('quiet');
    const answer = await node.typed('add quiet quiet --container-id quiet-one');
    expect(answer).toContain('10.26.0.2');
    const list = await node.typed('bundle quiet-one -o /var/issue/quiet.tar.gz');
    expect(list).toContain('record.json: there is no record of it');
    expect(await unpacked('/var/issue/quiet.tar.gz')).toContain('configuration/50-quiet.conflist');
  });

  test('stdout is for pipes: the list goes to stderr', async () => {
    const { stderr } = await node.type('bundle last --dry-run');
    expect(stderr).toBe('');
    const names = await node.sh('/opt/cni/bin/cni-debug bundle last -o - 2>/var/issue/list | tar tzf -');
    expect(names).toContain('cni-debug-bundle/contents.json');
    expect(node.read('/var/issue/list')).toStartWith('The bundle holds\n');
  });

  test('--dry-run writes nothing; a file that is there stays, unless --force says so', async () => {
    const dry = await node.typed('bundle last --dry-run -o /var/issue/dry.tar.gz');
    expect(dry).toContain('versions.json');
    expect(node.files('/var/issue')).not.toContain('dry.tar.gz');
    node.write('/var/issue/mine', 'mine');
    const refused = await node.type('bundle last -o /var/issue/mine');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('/var/issue/mine is there already\n  --force replaces it');
    expect(node.read('/var/issue/mine')).toBe('mine');
    await node.typed('bundle last -o /var/issue/mine --force');
    expect(await node.sh('tar tzf /var/issue/mine | wc -l; stat -c %a /var/issue/mine')).toMatch(
      /^\d+\n600\n$/,
    );
    expect(node.files('/var/issue').filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test('what is no regular file is never replaced', async () => {
    await node.sh('mknod /var/issue/device c 1 7; mkdir /var/issue/folder; ln -s device /var/issue/link');
    for (const name of ['device', 'link', 'folder', 'folder/']) {
      const path = `/var/issue/${name}`;
      const { status, stderr } = await node.type(`bundle last -o ${path} --force`);
      expect(stderr).toContain(`${path} is there already, and no regular file`);
      expect(status).toBe(1);
    }
    expect(await node.sh('stat -c %F /var/issue/device; rm /var/issue/device /var/issue/link')).toContain(
      'character special',
    );
  });

  test('a person is asked first', async () => {
    const typed = (answer: string, more = '') =>
      node.sh(
        `(sleep 2; echo ${answer}) | script -qec '/opt/cni/bin/cni-debug bundle last -o /var/issue/asked${more}' /dev/null; ls /var/issue/asked 2>&1 || true`,
      );
    const no = await typed('n').catch((error) => String(error));
    expect(no).toContain('Write it to /var/issue/asked? [y/N]');
    expect(node.files('/var/issue')).not.toContain('asked');
    expect(await typed('y')).toContain('/var/issue/asked: ');
    expect(await typed('n', ' --yes --force')).not.toContain('[y/N]');
  });

  test.each([
    ['bundle last', 2, '-o is missing'],
    ['bundle nobody -o /var/issue/nobody', 3, 'no record "nobody" in /var/log/cni-debug/journal.ndjson'],
    ['bundle last -o /none/file', 3, 'the bundle could not be written: open "/none/.file.'],
  ])('%s: status %d', async (words, status, message) => {
    const answer = await node.type(words);
    expect(answer.stderr).toContain(message);
    expect(answer.status).toBe(status);
  });
});
