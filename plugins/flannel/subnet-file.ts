import { type Cidr, formatCidr, networkOf, parseCidr } from '../../src/cni/address.ts';
import { CniError, ErrorCode } from '../../src/cni/error.ts';
import { readRegularFile } from '../../src/kernel/regular-file.ts';
import { SystemError } from '../../src/kernel/system-error.ts';

/** What flanneld says of the network and of this node's part of it. */
export interface SubnetFile {
  /** Of the whole network, IPv4 before IPv6. */
  readonly networks: readonly Cidr[];
  /** This node's, one of each family at most. */
  readonly subnets: readonly Cidr[];
  readonly mtu: number;
  /** flanneld masquerades what leaves the network. */
  readonly ipMasq: boolean;
}

/** flanneld writes a few hundred bytes. */
const limit = 1024 * 1024;

/**
 * Reads what flanneld writes to `/run/flannel/subnet.env`. Throws code 11 when it is not there, or is not yet what it has
 * to be, with every line that is wrong; code 5 when it cannot be read.
 */
export function readSubnetFile(path: string): SubnetFile {
  const lines = new Lines(path, readText(path));
  const networks = ['FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK'].map((key) => lines.read(key, cidrs) ?? []);
  const subnets = ['FLANNEL_SUBNET', 'FLANNEL_IPV6_SUBNET'].flatMap((key) => lines.read(key, cidr) ?? []);
  const mtu = lines.read('FLANNEL_MTU', unsigned);
  const ipMasq = lines.read('FLANNEL_IPMASQ', flag);
  lines.requireOne('FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK');
  lines.requireOne('FLANNEL_SUBNET', 'FLANNEL_IPV6_SUBNET');
  lines.requireOne('FLANNEL_MTU');
  lines.requireOne('FLANNEL_IPMASQ');
  lines.throwProblems();
  return { networks: networks.flatMap(distinct), subnets, mtu: mtu ?? 0, ipMasq: ipMasq ?? false };
}

function readText(path: string): string {
  try {
    return readRegularFile(path, limit);
  } catch (thrown) {
    const isAbsent = thrown instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(thrown.code);
    if (!isAbsent)
      throw new CniError(ErrorCode.ioFailure, `subnet file: ${CniError.from(thrown).message}`, {
        cause: thrown,
      });
    const message = `${path} does not exist: flanneld has not written it yet`;
    const details =
      'flanneld writes it when it has a subnet for this node: see whether it runs here and what its log says; ' +
      'one that writes elsewhere ("-subnet-file") needs the same path as "subnetFile"';
    throw new CniError(ErrorCode.tryAgainLater, message, { details, cause: thrown });
  }
}

/** Lines of `KEY=value`; of two with one key the last counts, and those with other keys are somebody else's. */
class Lines {
  private readonly values = new Map<string, { number: number; value: string | undefined }>();
  private readonly problems: string[] = [];

  constructor(
    private readonly path: string,
    text: string,
  ) {
    for (const [index, line] of text.split(/\r?\n|\r$/).entries()) {
      const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(line) ?? [];
      this.values.set(key, { number: index + 1, value });
    }
  }

  /** What `parse` makes of the value; undefined when there is no such line, or it is wrong. */
  read<T>(key: string, parse: (value: string) => T): T | undefined {
    const line = this.values.get(key);
    if (line === undefined) return undefined;
    try {
      if (line.value === undefined) throw new Error('has no "=" and value');
      return parse(line.value);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.problems.push(`line ${line.number}: ${key}: ${reason}`);
      return undefined;
    }
  }

  requireOne(...keys: string[]): void {
    if (!keys.some((key) => this.values.has(key))) this.problems.push(`${keys.join(' or ')} is missing`);
  }

  throwProblems(): void {
    if (this.problems.length === 0) return;
    const isEmpty = [...this.values.keys()].every((key) => key.trim() === '');
    const said = isEmpty ? 'is empty' : this.problems.join('; ');
    throw new CniError(ErrorCode.tryAgainLater, `${this.path}: ${said}`, {
      details:
        'flanneld may be writing it at this moment; if it stays like that, restart flanneld on this node, which writes it anew',
    });
  }
}

function cidr(value: string): Cidr {
  const parsed = parseCidr(value);
  if (parsed === undefined) throw new Error(`${quoted(value)} is not a CIDR address`);
  return networkOf(parsed);
}

function cidrs(value: string): Cidr[] {
  return value.split(',').map(cidr);
}

function unsigned(value: string): number {
  const number = /^[0-9]+$/.test(value) ? Number(value) : -1;
  if (number >= 0 && number < 2 ** 32) return number;
  throw new Error(`${quoted(value)} is not a number of bytes`);
}

function flag(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error(`${quoted(value)} is neither true nor false`);
}

function distinct(list: readonly Cidr[]): Cidr[] {
  const texts = list.map(formatCidr);
  return list.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}

function quoted(value: string): string {
  return JSON.stringify(value.length <= 100 ? value : `${value.slice(0, 99)}…`);
}
