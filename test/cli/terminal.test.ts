import { describe, expect, test } from 'bun:test';
import { requires } from '../requirements.ts';
import { journalLine } from '../trace/journal-lines.ts';
import { bridgeNetwork, OperatorNode } from './operator-node.ts';

const slow = `#!/bin/sh
cat >/dev/null
[ "$CNI_COMMAND" != ADD ] || { sleep 1.5; echo '{"cniVersion":"1.0.0"}'; }
`;

/** A command line on a terminal of its own: all that it shows there. */
function onTerminal(node: OperatorNode, words: string, environment = ''): Promise<string> {
  return node.sh(`${environment} script -qec '/opt/cni/bin/cni-debug ${words}' /dev/null </dev/null`);
}

describe.if(requires('root', 'ip', 'script'))('on a terminal', () => {
  test('what takes over a second says what it waits for, there and nowhere else', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-slow.conflist', { cniVersion: '1.0.0', name: 'slow', plugins: [{ type: 'slow' }] });
    node.write('/opt/cni/bin/slow', slow);
    await node.sh('chmod +x /opt/cni/bin/slow');
    await node.pod('web');
    expect(await onTerminal(node, 'add slow web')).toContain('ADD of plugin 1 of 1 ("slow")');
    await node.typed('del slow web');
    expect(await node.type('add slow web')).toMatchObject({ status: 0, stderr: '' });
  });

  test('so does a search that has found nothing yet', async () => {
    await using node = await OperatorNode.start();
    const lines = Array.from({ length: 500 }, (_, number) => `${journalLine(number)}\n`).join('');
    node.write('/run/journal', lines);
    node.write('/run/slowly', 'cat /run/journal; sleep 1.2; cat /run/journal');
    const search = 'sh /run/slowly | cni-debug logs -g nothing-of-this -';
    expect(await node.sh(`script -qc '${search}' /dev/null </dev/null`)).toContain('searching the journals');
    expect(await node.sh(`{ ${search}; } 2>&1 || true`)).not.toContain('searching');
  });

  test('what is quick does not', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16'));
    await node.pod('web');
    expect(await onTerminal(node, 'add lab web')).not.toContain('plugin 1 of 1');
  });

  test('colours are for terminals, and NO_COLOR takes them away', async () => {
    await using node = await OperatorNode.start();
    node.configure('10-lab.conflist', bridgeNetwork('lab', '10.22.0.0/16'));
    await node.pod('web');
    await node.typed('add lab web');
    const sequence = '\u001b[';
    expect(await onTerminal(node, 'list')).toContain(`${sequence}1mNETWORK`);
    expect(await onTerminal(node, 'list', 'NO_COLOR=1')).not.toContain(sequence);
    expect(await onTerminal(node, 'add lab web || true')).toContain(`${sequence}31mcni-debug add:`);
    expect(await node.typed('list')).not.toContain(sequence);
  });

  test('a reader that has seen enough ends it without a word', async () => {
    await using node = await OperatorNode.start();
    expect(await node.sh('cni-debug --help | head -1; cni-debug completion bash 2>&1 | head -1')).toBe(
      'Usage: cni-debug [options] [command]\n# bash completion for cni-debug\n',
    );
  });
});
