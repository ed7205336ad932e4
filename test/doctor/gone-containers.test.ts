import { describe, expect, test } from 'bun:test';
import { canRun, diagnosis, doctor, findings, ofOther, soundNode } from './doctor-node.ts';

const cached = '/var/lib/cni/results/lab-web-eth0';

describe.if(canRun)('cached attachments whose container is gone', () => {
  test('the namespace is not there: its lease stands below, and gc ends both', async () => {
    await using node = await soundNode();
    await node.sh('ip netns del web');
    expect(await diagnosis(node)).toEqual(['D006 network lab', '  D001 network lab', '  D021 network lab']);
    const [found] = await findings(node);
    expect(found).toMatchObject({
      severity: 'warning',
      cause: 'the container of a cached attachment is gone',
    });
    expect(found?.evidence[0]).toEqual({ source: cached, text: '"netns": "/var/run/netns/web"' });
    expect(found?.evidence[1]?.text).toContain('No such file or directory');
    await node.sh(found!.fix.at(-1)!);
    expect(await diagnosis(node)).toEqual([]);
  });

  test('something else has its path', async () => {
    await using node = await soundNode();
    await node.sh('umount /run/netns/web');
    expect(await diagnosis(node)).toEqual([
      'D006 container web eth0',
      '  D001 network lab',
      '  D021 network lab',
    ]);
    const [found] = await findings(node);
    expect(found?.severity).toBe('error');
    expect(found?.cause).toContain('"/var/run/netns/web" is a regular file, not a network namespace');
  });

  test('the network of the node itself has its path', async () => {
    await using node = await soundNode();
    await node.sh('ip netns del web; : >/run/netns/web; mount --bind /proc/self/ns/net /run/netns/web');
    const [found] = await findings(node);
    expect(found).toMatchObject({ id: 'D006', object: 'container web eth0', severity: 'error' });
    expect(found?.cause).toContain('is the network of the node itself');
    await node.sh('umount /run/netns/web');
  });

  test('more leases than cached attachments are a root of their own', async () => {
    await using node = await soundNode();
    await node.sh('ip netns del web; printf "other\\r\\neth0" >/var/lib/cni/networks/lab/10.50.0.9');
    expect(await diagnosis(node)).toEqual(['D001 network lab', 'D006 network lab', '  D021 network lab']);
  });

  test('a young one, and one of another network, are not named', async () => {
    await using node = await soundNode();
    await node.sh('ip netns del web');
    expect(await diagnosis(node, 'doctor')).toEqual([]);
    expect(await diagnosis(node, `${doctor} ${ofOther(node)}`)).toEqual([]);
  });

  test('a namespace that is mounted where it is not seen is not gone: its address is', async () => {
    await using node = await soundNode();
    await node.sh(
      'ip netns exec web sleep 600 >/dev/null 2>&1 & sleep 0.2; umount /run/netns/web; rm /run/netns/web',
    );
    expect(await diagnosis(node)).toEqual([]);
    await node.sh('pkill sleep; sleep 0.2');
    expect(await diagnosis(node)).toEqual(['D006 network lab', '  D001 network lab', '  D021 network lab']);
  });
});

describe.if(canRun)('a node that was started anew', () => {
  test('stands above what it has left', async () => {
    await using node = await soundNode();
    await node.sh(`ip netns del web; touch -d 2020-01-01 ${cached} /var/lib/cni/networks/lab/10.50.0.*`);
    expect(await diagnosis(node)).toEqual([
      'D013 node',
      '  D001 network lab',
      '  D006 network lab',
      '    D021 network lab',
    ]);
    const [found] = await findings(node);
    expect(found?.cause).toContain('1 lease and 1 cached attachment are from before');
    expect(found?.evidence[0]?.text).toBe((await node.sh('grep btime /proc/stat')).trim());
    expect(found?.since).toBe(new Date(Number(found?.evidence[0]?.text.split(' ')[1]) * 1000).toISOString());
  });

  test('an empty lease of before is one of these', async () => {
    await using node = await soundNode();
    await node.sh('cd /var/lib/cni/networks/lab; : >10.50.0.9; touch -d 2020-01-01 10.50.0.9');
    expect(await diagnosis(node)).toEqual(['D013 node', '  D004 lease 10.50.0.9']);
  });

  test('nothing is left, or it lives: no finding', async () => {
    await using node = await soundNode();
    await node.sh(`touch -d 2020-01-01 ${cached} /var/lib/cni/networks/lab/10.50.0.*`);
    expect(await diagnosis(node)).toEqual([]);
  });
});
