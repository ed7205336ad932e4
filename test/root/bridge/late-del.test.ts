import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { commandIn } from '../namespace-command.ts';
import { Site } from '../site.ts';

describe.if(requires('root', 'ip'))('a late DEL (ours)', () => {
  test('leaves the interface that another network has made meanwhile under the same name', async () => {
    using site = new Site();
    const pod = site.pod();
    const one = site.configuration({ name: 'one', ipam: {} });
    const other = site.configuration({ name: 'other', ipam: {} });
    await site.add(one, { pod });
    await site.del(one, { pod });
    await site.add(other, { pod });
    await site.del(one, { pod });
    expect(commandIn(pod.netns, 'ip', 'link')).toContain('eth0');
    await site.del(other, { pod });
    expect(commandIn(pod.netns, 'ip', 'link')).not.toContain('eth0');
  });
});
