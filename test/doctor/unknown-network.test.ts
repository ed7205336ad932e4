import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { soundNode } from './doctor-node.ts';

describe.if(requires('root', 'ip', 'nft'))('doctor --network', () => {
  test('a name that nothing has is no sound network', async () => {
    await using node = await soundNode();
    const { status, stdout, stderr } = await node.type('doctor --network lba');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('no network "lba" in /etc/cni/net.d');
    expect(stderr).toContain('there are: "lab"');
  });

  test('one whose file is gone is known as long as an attachment of it is there', async () => {
    await using node = await soundNode();
    await node.sh('mv /etc/cni/net.d/10-lab.conflist /etc/cni/net.d/10-lab.kept');
    node.configure('20-other.conflist', {
      cniVersion: '1.1.0',
      name: 'other',
      plugins: [{ type: 'loopback' }],
    });
    const { status, stdout } = await node.type('doctor --network lab');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 network, 1 attachment, \d+ rules: sound\n$/);
  });

  test('of what cannot be looked at nobody says that it is not there', async () => {
    await using node = await soundNode();
    const { status, stderr } = await node.run(
      'setpriv --reuid 65534 --clear-groups cni-debug doctor --network lba',
    );
    expect(status).toBe(3);
    expect(stderr).not.toContain('no network');
  });
});
