import { describe, expect, test } from 'bun:test';
import { requires } from '../../requirements.ts';
import { difference } from '../snapshot.ts';
import { Fabric } from './fabric.ts';

describe.if(requires('root', 'ip', 'nft'))('flannel as the delegate of debug', () => {
  test('runs in process with its bridge: one record of all steps, and one transaction', async () => {
    using fabric = new Fabric();
    const configuration = fabric.wrapped();
    const before = await fabric.warmUp(configuration);
    const pod = fabric.pod('pod');
    const earlier = fabric.scratch.records().length;
    const prevResult = await fabric.add(configuration, { pod });

    const [begin, record, ...others] = fabric.scratch.records().slice(earlier);
    expect(others).toEqual([]);
    expect([begin.kind, record.kind, record.id]).toEqual(['begin', 'call', begin.id]);
    expect(record).toMatchObject({ command: 'ADD', findings: [], result: prevResult });
    expect(record.delegates).toEqual([
      expect.objectContaining({ type: 'flannel', command: 'ADD', inProcess: true }),
    ]);
    const steps: string[] = record.steps.map(({ name }: { name: string }) => name);
    const inOrder = [
      'delegate ADD flannel',
      `flannel: read ${fabric.subnetFile}`,
      `flannel: write ${fabric.dataDir}/pod:eth0`,
      'flannel: bridge: take addresses',
      `flannel: bridge: add ${prevResult.ips[0].address} to "eth0"`,
    ];
    expect(steps.filter((name) => inOrder.includes(name))).toEqual(inOrder);
    expect(steps.filter((name) => /^commit \d+ changes of nftables$/.test(name))).toHaveLength(1);

    const keys = { ...configuration, prevResult };
    expect(await fabric.call('CHECK', keys, { pod })).toMatchObject({ status: 0, stdout: '' });
    expect(await fabric.call('STATUS', configuration)).toMatchObject({ status: 0, stdout: '' });
    await fabric.del(keys, { pod });
    expect(difference(before, fabric.snapshot())).toEqual([]);
  });

  test('is undone with the others, when a later one fails', async () => {
    using fabric = new Fabric();
    const configuration = fabric.wrapped();
    const before = await fabric.warmUp(configuration);
    const delegate = [configuration.delegate, { type: 'none' }];
    const { msg } = await fabric.fail('ADD', { ...configuration, delegate }, { pod: fabric.pod('pod') });
    expect(msg).toContain('delegate 2 of 2 ("none")');
    expect(difference(before, fabric.snapshot())).toEqual([]);
  });
});
