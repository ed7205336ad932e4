import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '../../requirements.ts';
import { commandIn } from '../namespace-command.ts';
import { Site } from '../site.ts';
import { difference } from '../snapshot.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site[Symbol.dispose]());

/** An IPAM plugin that gives every container the same address. */
function careless(): { searched: string[] } {
  const answer = JSON.stringify({ cniVersion: '1.0.0', ips: [{ address: 'fd00:50::5/64' }] });
  const script = `#!/bin/sh\ncat > /dev/null; [ "$CNI_COMMAND" != ADD ] || echo '${answer}'`;
  writeFileSync(join(site.scratch.folder, 'fake'), script, { mode: 0o755 });
  return { searched: [site.scratch.folder] };
}

describe.if(requires('root', 'ip'))('duplicate address detection (ours)', () => {
  test('is over when ADD answers, with enabledad and without', async () => {
    for (const enabledad of [true, false]) {
      const pod = site.pod();
      await site.add(site.configuration({ ipam: site.ipam(['fd00:50::/64']), enabledad }), { pod });
      const shown = commandIn(pod.netns, 'ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'global');
      expect(shown).toContain('fd00:50::');
      expect(shown).not.toContain('tentative');
    }
  });

  test('an address that another container has is an error, and nothing is left of the second one', async () => {
    const configuration = site.configuration({ ipam: { type: 'fake' }, enabledad: true });
    await site.add(configuration, { pod: site.pod(), ...careless() });
    const before = site.snapshot();
    const second = site.pod();
    const { msg } = await site.fail('ADD', configuration, { pod: second, ...careless() });
    expect(msg).toContain('fd00:50::5');
    expect(msg).toContain('in use');
    expect(difference(before, site.snapshot())).toEqual([]);
    expect(commandIn(second.netns, 'ip', 'link')).not.toContain('eth0');
  });
});
