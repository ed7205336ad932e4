import { describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Channel } from '../../../src/kernel/netlink/channel.ts';
import { listLinks } from '../../../src/kernel/netlink/link.ts';
import { decodeMessages, encodeMessage, MalformedMessageError } from '../../../src/kernel/netlink/message.ts';
import { NetlinkError } from '../../../src/kernel/netlink/netlink-error.ts';
import { NetlinkSocket, openRouteSocket, type Step } from '../../../src/kernel/netlink/socket.ts';
import { openNamespace } from '../../../src/kernel/netns.ts';
import { requires } from '../../requirements.ts';
import { scratchNamespace } from '../scratch.ts';
import { capturedDatagrams } from './captured.ts';

const RTM_NEWLINK = 16;
const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;
const NLM_F_DUMP_INTR = 0x10;
const PORT_ID = 4711;
const request = { operation: 'dump links', type: 18, payload: Buffer.alloc(16) };

interface Part {
  type: number;
  payload?: Buffer;
  flags?: number;
  /** Added to the number of the request that is answered. */
  sequence?: number;
  portId?: number;
}
type Reply = Part[] | 'overrun' | undefined;

/** A kernel that answers the first request with the first of these replies, and so on; the last is for all others. */
function kernel(...answers: Reply[][]): { channel: Channel; sent: Buffer[]; closed: number } {
  const sent: Buffer[] = [];
  let pending: Reply[] = [];
  const state = {
    sent,
    closed: 0,
    channel: {
      portId: PORT_ID,
      send(message: Buffer) {
        pending = [...(answers[Math.min(sent.length, answers.length - 1)] ?? [])];
        sent.push(message);
      },
      receive() {
        const reply = pending.shift();
        if (reply === undefined || reply === 'overrun') return reply;
        return Buffer.concat(reply.map((part) => encode(part, sent.length)));
      },
      close() {
        state.closed += 1;
      },
    },
  };
  return state;
}

function encode({ type, payload, flags = 2, sequence = 0, portId = PORT_ID }: Part, request: number): Buffer {
  const bytes = encodeMessage({ type, flags, sequence: request + sequence, payload: payload ?? errno(0) });
  bytes.writeUInt32LE(portId, 12);
  return bytes;
}

function errno(number: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(-number);
  return bytes;
}

const link = (text: string): Part => ({ type: RTM_NEWLINK, payload: Buffer.from(text) });
const done: Part = { type: NLMSG_DONE };
const texts = (messages: { payload: Buffer }[]): string[] =>
  messages.map(({ payload }) => payload.toString());

describe('a dump', () => {
  const dump = (...answers: Reply[][]): string[] =>
    texts(new NetlinkSocket(kernel(...answers).channel, 50).dump(request));

  test('asks with NLM_F_REQUEST and NLM_F_DUMP, and numbers what it asks', () => {
    const { channel, sent } = kernel([[done]]);
    const socket = new NetlinkSocket(channel);
    socket.dump(request);
    socket.dump({ ...request, flags: 0x1000 });
    expect(sent.flatMap(decodeMessages)).toMatchObject([
      { type: 18, flags: 0x301, sequence: 1, portId: 0 },
      { type: 18, flags: 0x1301, sequence: 2, portId: 0 },
    ]);
  });

  test('may come in several datagrams', () => {
    expect(dump([[link('a'), link('b')], [link('c')], [done]])).toEqual(['a', 'b', 'c']);
  });

  test('may come after a while', () => {
    expect(dump([undefined, [link('a')], undefined, [done]])).toEqual(['a']);
  });

  test('skips what answers another request, or another port, and NLMSG_NOOP', () => {
    const stale: Part = { ...link('stale'), sequence: -1 };
    const foreign: Part = { ...link('foreign'), portId: 1 };
    const staleEnd: Part = { ...done, sequence: -1 };
    expect(dump([[stale, staleEnd, foreign, { type: NLMSG_NOOP }, link('a'), done]])).toEqual(['a']);
  });

  test.each<[string, Reply[]]>([
    ['NLM_F_DUMP_INTR on a link', [[{ ...link('old'), flags: NLM_F_DUMP_INTR }], [link('b'), done]]],
    ['NLM_F_DUMP_INTR at the end', [[link('old')], [{ ...done, flags: NLM_F_DUMP_INTR }]]],
    ['an overrun', [[link('old')], 'overrun', [done]]],
    ['NLMSG_OVERRUN', [[link('old'), { type: NLMSG_OVERRUN }, done]]],
  ])('is repeated after %s', (_, interrupted) => {
    expect(dump(interrupted, interrupted, [[link('new'), done]])).toEqual(['new']);
  });

  test('is not repeated for ever', () => {
    const { channel, sent } = kernel([[{ ...done, flags: NLM_F_DUMP_INTR }]]);
    expect(() => new NetlinkSocket(channel).dump(request)).toThrow(
      'dump links: Interrupted system call (EINTR): changed during each of 16 attempts',
    );
    expect(sent.length).toBe(16);
  });

  test.each([
    [NLMSG_ERROR, 1, 'dump links: Operation not permitted (EPERM)'],
    [NLMSG_DONE, 95, 'dump links: Operation not supported (EOPNOTSUPP)'],
  ])('that ends in message type %p with error %p', (type, number, message) => {
    expect(() => dump([[link('a')], [{ type, payload: errno(number) }]])).toThrow(message);
  });

  test('that never ends is given up, though stale answers keep coming', () => {
    const start = performance.now();
    expect(() => dump([])).toThrow('dump links: Connection timed out (ETIMEDOUT): no answer in 50 ms');
    expect(performance.now() - start).toBeLessThan(5000);
    const stale = { ...kernel().channel, receive: () => encode({ ...link('x'), sequence: 99 }, 0) };
    expect(() => new NetlinkSocket(stale, 50).dump(request)).toThrow(NetlinkError);
  });

  test('that is malformed is an error', () => {
    const broken = { ...kernel().channel, receive: () => Buffer.from('0000000000', 'hex') };
    expect(() => new NetlinkSocket(broken).dump(request)).toThrow(MalformedMessageError);
  });

  test('as it was captured', () => {
    const datagrams = capturedDatagrams('links');
    const portId = decodeMessages(datagrams[0]!)[0]!.portId;
    const replay = { ...kernel().channel, portId, receive: () => datagrams.shift() };
    expect(listLinks(new NetlinkSocket(replay)).map(({ name }) => name)).toEqual([
      'lo',
      'macvlan0',
      'eth0',
      'right',
      'left',
    ]);
  });
});

describe('a request', () => {
  const ask = (...replies: Reply[]): string[] =>
    texts(new NetlinkSocket(kernel(replies).channel, 50).request(request));

  test('asks for an acknowledgement', () => {
    const { channel, sent } = kernel([[{ type: NLMSG_ERROR }]]);
    new NetlinkSocket(channel).request({ ...request, flags: 0x400 });
    expect(decodeMessages(sent[0]!)[0]?.flags).toBe(0x405);
  });

  test('answers what came before it', () => {
    expect(ask([{ type: NLMSG_ERROR }])).toEqual([]);
    expect(ask([link('a')], [{ type: NLMSG_ERROR }])).toEqual(['a']);
  });

  test('throws what the kernel says', () => {
    const [refusal] = capturedDatagrams('refused-link');
    const portId = decodeMessages(refusal!)[0]!.portId;
    const replay = { ...kernel().channel, portId, receive: () => refusal };
    expect(() => new NetlinkSocket(replay).request({ ...request, operation: 'delete link "x"' })).toThrow(
      'delete link "x": Numerical result out of range (ERANGE): Attribute failed policy validation',
    );
  });

  test('whose answer was lost is not repeated', () => {
    const { channel, sent } = kernel(['overrun', [{ type: NLMSG_ERROR }]]);
    expect(() => new NetlinkSocket(channel).request(request)).toThrow('No buffer space available (ENOBUFS)');
    expect(sent.length).toBe(1);
  });

  test('that nobody answers is given up', () => {
    expect(() => ask()).toThrow('ETIMEDOUT');
  });
});

test('each request and dump is a step, also when it fails', () => {
  const steps: string[] = [];
  const step: Step = (name, operation) => {
    steps.push(name);
    return operation();
  };
  const socketOf = (...answers: Reply[][]): NetlinkSocket =>
    new NetlinkSocket(kernel(...answers).channel, 50, step);
  const interrupted: Reply[] = [[{ ...done, flags: NLM_F_DUMP_INTR }]];
  socketOf(interrupted, [[done]]).dump(request);
  socketOf([[{ type: NLMSG_ERROR }]]).request({ ...request, operation: 'set link "x" up' });
  const refusal: Reply[] = [[{ type: NLMSG_ERROR, payload: errno(1) }]];
  expect(() => socketOf(refusal).request({ ...request, operation: 'delete link "x"' })).toThrow('EPERM');
  expect(steps).toEqual(['dump links', 'set link "x" up', 'delete link "x"']);
});

test('closing twice closes once', () => {
  const state = kernel();
  const socket = new NetlinkSocket(state.channel);
  socket.close();
  socket.close();
  expect(state.closed).toBe(1);
});

describe.if(requires('root', 'ip'))('the kernel', () => {
  test('opening and closing leaves nothing open', () => {
    const scratch = scratchNamespace();
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 50; n++) {
      const namespace = openNamespace(scratch.path);
      openRouteSocket(namespace).close();
      namespace.close();
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    scratch.remove();
  });

  test('a dump while links come and go is whole', async () => {
    const scratch = scratchNamespace();
    scratch.ip(...Array.from({ length: 60 }, (_, n) => `link add a${n} type veth peer name b${n}`));
    const churn = `while :; do ip -n ${scratch.name} link add x type bridge; ip -n ${scratch.name} link del x; done`;
    const churner = spawn('sh', ['-c', churn], { stdio: 'ignore' });
    const namespace = openNamespace(scratch.path);
    const socket = openRouteSocket(namespace);
    namespace.close();
    try {
      const end = performance.now() + 1000;
      while (performance.now() < end) {
        const names = listLinks(socket)
          .map(({ name }) => name)
          .filter((name) => name !== 'x');
        expect(names.length).toBe(121);
        expect(new Set(names).size).toBe(121);
        await Bun.sleep(1);
      }
    } finally {
      const ended = new Promise((resolve) => churner.once('exit', resolve));
      churner.kill('SIGKILL');
      await ended;
      socket.close();
      scratch.remove();
    }
  }, 60_000);

  test('one who may not is told so', () => {
    const code = `
      const { openRouteSocket } = await import(${JSON.stringify(`${import.meta.dir}/../../../src/kernel/netlink/socket.ts`)});
      process.setuid(65534);
      const socket = openRouteSocket();
      const request = { operation: 'delete link 1', type: 17, payload: Buffer.from([0,0,0,0, 1,0,0,0, 0,0,0,0, 0,0,0,0]) };
      try { socket.request(request); } catch (error) { console.log(String(error)); }`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect(stdout + stderr).toBe('NetlinkError: delete link 1: Operation not permitted (EPERM)\n');
  });
});
