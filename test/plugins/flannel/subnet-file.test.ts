import { afterAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSubnetFile } from '../../../plugins/flannel/subnet-file.ts';
import { formatCidr } from '../../../src/cni/address.ts';
import { CniError } from '../../../src/cni/error.ts';
import { Scratch } from '../../program.ts';
import { FlannelCall, seed } from './flannel.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const path = join(scratch.folder, 'subnet.env');

function read(text: string) {
  writeFileSync(path, text);
  const { networks, subnets, ...rest } = readSubnetFile(path);
  return { networks: networks.map(formatCidr), subnets: subnets.map(formatCidr), ...rest };
}

function errorOf(file: string): CniError {
  try {
    readSubnetFile(file);
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error('it was read');
}

const whole = seed.join('\n');

describe('a subnet file', () => {
  test('gives the network of a subnet with host bits', () => {
    expect(read(whole)).toEqual({
      networks: ['192.168.0.0/16'],
      subnets: ['192.168.22.128/26'],
      mtu: 1450,
      ipMasq: false,
    });
  });

  test('may have lists of networks, each of which counts once, and IPv6', () => {
    const text = `FLANNEL_NETWORK=10.1.0.0/16,10.3.0.0/16,10.1.9.9/16
FLANNEL_SUBNET=10.1.4.1/24
FLANNEL_IPV6_NETWORK=fd00:1::/48,fd00:3::/48
FLANNEL_IPV6_SUBNET=fd00:1:0:4::1/64
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
`;
    expect(read(text)).toEqual({
      networks: ['10.1.0.0/16', '10.3.0.0/16', 'fd00:1::/48', 'fd00:3::/48'],
      subnets: ['10.1.4.0/24', 'fd00:1:0:4::/64'],
      mtu: 1450,
      ipMasq: true,
    });
  });

  test('may have IPv6 only, other lines, Windows line ends, and a line twice, whose last counts', () => {
    const text = `# by hand\r\n\r\nFLANNEL_IPV6_NETWORK=fd00::/48\r\nFLANNEL_IPV6_SUBNET=fd00::/64\r
OTHER=FLANNEL_MTU=1\r\nFLANNEL_MTU=1\r\nFLANNEL_MTU=1400\r\nFLANNEL_IPMASQ=false\r`;
    expect(read(text)).toEqual({
      networks: ['fd00::/48'],
      subnets: ['fd00::/64'],
      mtu: 1400,
      ipMasq: false,
    });
  });

  test.each([
    ['FLANNEL_NETWORK=192.168.0.0', 'line 1: FLANNEL_NETWORK: "192.168.0.0" is not a CIDR address'],
    [
      'FLANNEL_NETWORK=10.1.0.0/16, 10.2.0.0/16',
      'line 1: FLANNEL_NETWORK: " 10.2.0.0/16" is not a CIDR address',
    ],
    ['FLANNEL_NETWORK=', 'line 1: FLANNEL_NETWORK: "" is not a CIDR address'],
    ['FLANNEL_NETWORK', 'line 1: FLANNEL_NETWORK: has no "=" and value'],
    ['FLANNEL_SUBNET=10.1.4.1/24,10.1.5.1/24', 'line 2: FLANNEL_SUBNET: "10.1.4.1/24,10.1.5.1/24" is not'],
    ['FLANNEL_SUBNET=192.168.22.', 'line 2: FLANNEL_SUBNET: "192.168.22." is not a CIDR address'],
    ['FLANNEL_MTU=14x0', 'line 3: FLANNEL_MTU: "14x0" is not a number of bytes'],
    ['FLANNEL_MTU=-1', 'line 3: FLANNEL_MTU: "-1" is not'],
    ['FLANNEL_MTU=4294967296', 'line 3: FLANNEL_MTU: "4294967296" is not'],
    ['FLANNEL_MTU=1450 ', 'line 3: FLANNEL_MTU: "1450 " is not'],
    ['FLANNEL_IPMASQ=tru', 'line 4: FLANNEL_IPMASQ: "tru" is neither true nor false'],
  ])('with %p says so', (line, complaint) => {
    const key = line.split('=')[0] ?? '';
    writeFileSync(path, seed.map((one) => (one.startsWith(`${key}=`) ? line : one)).join('\n'));
    const { code, message, details } = errorOf(path);
    expect(code).toBe(11);
    expect(message).toStartWith(`${path}: ${complaint}`);
    expect(message).not.toContain('missing');
    expect(details).toContain('flanneld may be writing it');
  });

  test('says all at once: lines that are wrong, and those that are missing', () => {
    writeFileSync(path, 'FLANNEL_SUBNET=x\nFLANNEL_IPMASQ=1\n');
    expect(errorOf(path).message).toBe(
      `${path}: line 1: FLANNEL_SUBNET: "x" is not a CIDR address; line 2: FLANNEL_IPMASQ: "1" is neither true nor false; ` +
        'FLANNEL_NETWORK or FLANNEL_IPV6_NETWORK is missing; FLANNEL_MTU is missing',
    );
  });

  test.each(['', '\n', ' \n\n'])('of %p is empty', (text) => {
    writeFileSync(path, text);
    expect(errorOf(path)).toMatchObject({ code: 11, message: `${path}: is empty` });
  });

  test('that is not there was not written yet', () => {
    const absent = join(scratch.folder, 'no', 'subnet.env');
    const { code, message, details } = errorOf(absent);
    expect(code).toBe(11);
    expect(message).toBe(`${absent} does not exist: flanneld has not written it yet`);
    expect(details).toContain('log');
  });

  test('that cannot be read is no matter of time', () => {
    const folder = join(scratch.folder, 'folder');
    mkdirSync(folder);
    expect(errorOf(folder)).toMatchObject({ code: 5, message: expect.stringContaining('EISDIR') });
  });

  test('that is a pipe, a device or endless is neither waited for nor read', async () => {
    using call = new FlannelCall([]);
    rmSync(call.subnetFile);
    execFileSync('mkfifo', [call.subnetFile]);
    const given = `subnet file: ${call.subnetFile} is no regular file`;
    expect(await call.fail('ADD')).toMatchObject({ code: 5, msg: given });
    expect(errorOf('/dev/zero')).toMatchObject({
      code: 5,
      message: 'subnet file: /dev/zero is no regular file',
    });
    writeFileSync(path, Buffer.alloc(2 ** 20 + 1, 'x=y\n'));
    expect(errorOf(path).message).toBe(`subnet file: ${path} is longer than 1048576 bytes`);
  });

  test('with a long value is quoted in part', () => {
    writeFileSync(path, `FLANNEL_NETWORK=${'9'.repeat(10_000)}`);
    expect(errorOf(path).message.length).toBeLessThan(500);
    expect(errorOf(path).message).toContain(`line 1: FLANNEL_NETWORK: "${'9'.repeat(99)}…" is not a CIDR`);
  });
});
