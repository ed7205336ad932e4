import { describe, expect, test } from 'bun:test';
import { ago, canRun, diagnosis, doctor, findings, journal, soundNode } from './doctor-node.ts';

const error = { code: 11, msg: 'the API does not answer', details: 'dial tcp: i/o timeout' };

/** An ADD that failed some seconds ago, in a namespace that is still there. */
function failed(secondsAgo: number, more: object = {}): object {
  const attachment = { containerID: 'guest', ifName: 'eth0', netns: '/var/run/netns/guest' };
  return {
    startedAt: ago(secondsAgo),
    command: 'ADD',
    network: 'lab',
    attachment,
    duration: 20,
    error,
    ...more,
  };
}

const done = { error: undefined };
const pod = { pod: { namespace: 'default', name: 'guest', uid: '1' } };
/** What a runtime tries next has another container, and another namespace. */
const next = { attachment: { containerID: 'guest2', ifName: 'eth0', netns: '/var/run/netns/guest2' } };

const named = ['D012 container guest eth0'];

describe.if(canRun)('attachments that fail', () => {
  test('with the plugin’s error, and where it stands', async () => {
    await using node = await soundNode([]);
    await node.pod('guest');
    await journal(node, [failed(60, pod)]);
    expect(await diagnosis(node)).toEqual(named);
    const [found] = await findings(node);
    expect(found).toMatchObject({
      severity: 'error',
      cause: 'ADD of pod default/guest to network "lab" failed with code 11: the API does not answer',
    });
    expect(found?.evidence.map(({ text }) => text)).toEqual([
      'error 11: the API does not answer',
      'dial tcp: i/o timeout',
    ]);
  });

  test.each([
    ['it failed again', [failed(90), failed(60)], named],
    ['it has succeeded since', [failed(90), failed(60, done)], []],
    ['it had succeeded before', [failed(90, done), failed(60)], named],
    ['its DEL came at once', [failed(60), failed(59, { command: 'DEL', ...done })], named],
    ['its DEL came later', [failed(60), failed(30, { command: 'DEL', ...done })], []],
    ['its DEL failed', [failed(60), failed(30, { command: 'DEL' })], named],
    ['more than an hour ago', [failed(3700)], []],
    [
      'it has not ended',
      [failed(60, { kind: 'begin', ...done, process: { pid: 1 } })],
      ['D008 container guest eth0'],
    ],
    ['the pod was tried again, and runs', [failed(60, pod), failed(30, { ...pod, ...next, ...done })], []],
    [
      'the pod was tried again, and failed',
      [failed(60, pod), failed(30, { ...pod, ...next })],
      ['D012 container guest2 eth0'],
    ],
    [
      'another pod of that name runs',
      [failed(60, pod), failed(30, { pod: { ...pod.pod, uid: '2' }, ...next, ...done })],
      named,
    ],
    ['another network', [failed(60, { network: 'other' })], []],
  ])('%s', async (_, records, expected) => {
    await using node = await soundNode([]);
    await node.pod('guest');
    await journal(node, records);
    expect(await diagnosis(node, `${doctor} --network lab`)).toEqual(expected);
  });

  test.each([
    ['a container', {}, 60, []],
    ['a pod that is tried again', pod, 60, named],
    ['a pod that nobody tries again', pod, 400, []],
  ])('without its namespace: %s', async (_, more, secondsAgo, expected) => {
    await using node = await soundNode([]);
    await journal(node, [failed(secondsAgo, more)]);
    expect(await diagnosis(node)).toEqual(expected);
  });

  test('below what explains it, and not below what does not', async () => {
    await using node = await soundNode([]);
    await node.pod('guest');
    await node.sh(
      'for last in $(seq 3 14); do printf "live$last" >/var/lib/cni/networks/lab/10.50.0.$last; done',
    );
    const full = {
      code: 1,
      msg: 'no IP addresses available in range set: 10.50.0.1-10.50.0.14',
      details: '',
    };
    await journal(node, [failed(60, { error: full })]);
    const found = await diagnosis(node);
    expect(found).toEqual(['D001 network lab', '  D002 network lab', '    D012 container guest eth0']);
    await journal(node, [failed(60)]);
    expect(await diagnosis(node)).toEqual(['D001 network lab', '  D002 network lab', ...named]);
  });
});
