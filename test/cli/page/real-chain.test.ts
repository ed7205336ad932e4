import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { requires } from '../../requirements.ts';
import { debugPlugin, OperatorNode } from '../operator-node.ts';
import { Browser, expectQuiet, selectedSpan } from './browser.ts';
import { PageFolder } from './page-journal.ts';

describe.if(requires('chromium', 'root', 'ip', 'nft', 'reference-plugins'))('of a real chain', () => {
  test('the page opens on what failed, and holds what the journal does', async () => {
    await using node = await OperatorNode.start();
    const bridge = { type: 'bridge', bridge: 'br-bad', ipam: { type: 'host-local', subnet: '10.22.0.0/16' } };
    node.configure('10-bad.conflist', {
      ...{ cniVersion: '1.1.0', name: 'bad' },
      plugins: [{ ...debugPlugin, snapshot: true, delegate: [bridge, { type: 'nowhere' }] }],
    });
    await node.pod('web');
    const failed = await node.type('add bad web');
    const [, id = ''] = /record: ([0-9a-f]{16}) in/.exec(failed.stderr) ?? [];
    const lines = node.read('/var/log/cni-debug/journal.ndjson').trimEnd().split('\n');
    using folder = new PageFolder([]);
    const file = `${folder.path}/real.html`;
    writeFileSync(file, await node.typed('trace --html -'));
    await using browser = await Browser.start();
    const watched = await browser.open(file);
    expect(await selectedSpan(watched)).toBe(id);
    expect(await watched.page.textContent('.chain')).toContain('+link br-bad');
    expect(await watched.page.textContent('.sentences')).toContain('bridge: + link br-bad');
    expect(await watched.page.textContent('.detail .error')).toContain('plugin "nowhere" was not found');
    const records = (await watched.page.textContent('#records')) ?? '';
    expect(records.trimEnd().split('\n')).toEqual(lines);
    expectQuiet(watched);
  });
});
