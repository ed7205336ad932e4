import { writeFileSync } from 'node:fs';
import { OperatorNode } from '../cli/operator-node.ts';

const network = 'fire';
const subnet = '10.60.0.0/16';
const bridge = {
  ...{ type: 'bridge', bridge: 'br-fire', isGateway: true, ipMasq: true, macspoofchk: true },
  ipam: { type: 'host-local', subnet, routes: [{ dst: '0.0.0.0/0' }] },
};
const portmap = { type: 'portmap', capabilities: { portMappings: true } };
const leases = `/var/lib/cni/networks/${network}`;
const results = '/var/lib/cni/results';

/** A container that comes and goes. */
interface Slot {
  readonly number: number;
  /** By the command line, which remembers it; else by the plugin alone, as by a runtime that keeps no cache. */
  readonly isCached: boolean;
  /** How many containers it has been: what comes back may be the same one. */
  generation: number;
  /** How many namespaces it has had: no two have one name. */
  namespaces: number;
  address: string;
  /** `living`: its ADD has succeeded and its DEL has not begun; `left`: it is gone, and things of it may be there. */
  state: 'none' | 'busy' | 'living' | 'left';
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A node on which containers come and go all the time, and some of them crash. */
export class Fire {
  readonly slots: readonly Slot[];
  /** What was done so far, by its name. */
  readonly counts = new Map<string, number>();
  #isBurning = true;
  #workers: Promise<void>[] = [];

  private constructor(
    readonly node: OperatorNode,
    size: number,
    private readonly next: () => number,
  ) {
    this.slots = Array.from({ length: size }, (_, number) => ({
      ...{ number, isCached: number % 2 === 0, generation: 0, namespaces: 0, address: '', state: 'none' },
    }));
  }

  static async start(size: number, seed: number): Promise<Fire> {
    const node = await OperatorNode.start({ hasProcesses: true });
    const plugins = [bridge, portmap, { type: 'debug', cniOutput: false }];
    node.configure('10-fire.conflist', { cniVersion: '1.1.0', name: network, plugins });
    node.write('/etc/cni/bridge.json', { cniVersion: '1.1.0', name: network, ...bridge });
    return new Fire(node, size, random(seed));
  }

  /** Lets so many work at once, until `pause`. */
  burn(workers: number): void {
    this.#isBurning = true;
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  /** Nothing is being done any more when this resolves. */
  async pause(): Promise<void> {
    this.#isBurning = false;
    await Promise.all(this.#workers);
  }

  get living(): Slot[] {
    return this.slots.filter(({ state }) => state === 'living');
  }

  /** What a living container lacks, a line each, on a node where nothing else happens. */
  async losses(): Promise<string[]> {
    const [ruleset, links] = await Promise.all([
      this.node.sh('nft list ruleset'),
      this.node.sh('ip -details link show type veth'),
    ]);
    const losses = this.living.flatMap((slot) => {
      const { address } = slot;
      const lacks = (what: string, isThere: boolean) =>
        isThere ? [] : [`${idOf(slot)} ${address}: ${what}`];
      const veth = new RegExp(`(veth[0-9a-f]{11})@[^]*?alias [0-9a-f-]+ ${network} eth0 ${idOf(slot)}$`, 'm');
      const name = links
        .split(/^(?=\d+: )/m)
        .map((link) => veth.exec(link)?.[1])
        .find(Boolean);
      return [
        ...lacks('lease', this.#leaseOf(slot) === `${idOf(slot)}\r\neth0`),
        ...lacks('veth', name !== undefined),
        ...lacks('masquerade', ruleset.includes(`${address} comment "`)),
        ...lacks('check of its MAC address', ruleset.includes(`"${name}" comment "`)),
        ...(slot.isCached
          ? [
              ...lacks('cached result', this.node.files(results).includes(`${network}-${idOf(slot)}-eth0`)),
              ...lacks(
                'host port',
                new RegExp(`tcp \\. ${portOf(slot)} comment "[^"]*${idOf(slot)}"`).test(ruleset),
              ),
            ]
          : []),
      ];
    });
    return [...losses, ...(await this.#silent())];
  }

  /** Takes elements of living containers away, as who edits the firewall by hand. */
  async flushSome(): Promise<void> {
    const some = this.living.filter(({ isCached }) => isCached && this.next() < 0.2);
    if (some.length === 0) return;
    const addresses = some.map(({ address }) => address).join(', ');
    await this.node.sh(`nft delete element inet cni_debug masquerade4 '{ ${addresses} }'`);
    this.#count('elements flushed', some.length);
  }

  /** DEL of every container that lives. */
  async end(): Promise<void> {
    for (const slot of this.living) await this.#detach(slot);
  }

  /** Everything that attachments have on the node. */
  async leftovers(): Promise<string[]> {
    const find = `find ${leases} ${results} /var/lib/cni/cni-debug -type f ! -name lock ! -name 'last_reserved_ip.*'`;
    const left = await this.node.sh(
      `${find}; ip -brief link show type veth; nft list ruleset | grep comment`,
    );
    return left.split('\n').filter((line) => line !== '' && !/made by cni-debug|of network fire/.test(line));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isBurning = false;
    return Promise.all(this.#workers).then(() => this.node[Symbol.asyncDispose]());
  }

  async #work(): Promise<void> {
    while (this.#isBurning) {
      const idle = this.slots.filter(({ state }) => state !== 'busy');
      const slot = idle[Math.floor(this.next() * idle.length)];
      if (slot === undefined) return;
      await this.#step(slot);
    }
  }

  /** One thing that may happen to a container. */
  async #step(slot: Slot): Promise<void> {
    const dice = this.next();
    if (slot.state === 'living') {
      // Most stay for a while: a node has more containers than changes.
      if (dice < 0.35) await this.#detach(slot);
      else if (dice < 0.45) await this.#vanish(slot);
      else if (dice < 0.55) await this.#killed(slot, 'DEL');
      else await new Promise((resolve) => setTimeout(resolve, 5));
      return;
    }
    // Half of those that have left something come back under their name, and what they left is in their way.
    if (slot.state !== 'left' || dice < 0.5) slot.generation += 1;
    if (this.next() < 0.1) await this.#killed(slot, 'ADD');
    else await this.#attach(slot);
  }

  async #attach(slot: Slot): Promise<void> {
    const wasLeft = slot.state === 'left';
    slot.state = 'busy';
    slot.namespaces += 1;
    await this.node.sh(`ip netns add ${nameOf(slot)}`);
    const { status, stdout, stderr } = await this.node.run(scriptOf(slot, 'ADD'));
    if (status === 0) {
      slot.address = JSON.parse(stdout).ips[0].address.split('/')[0];
      slot.state = 'living';
      this.#count('ADD');
      return;
    }
    // What it had left before may be in its way.
    if (!wasLeft) throw new Error(`ADD of ${idOf(slot)}: ${stdout}${stderr}`);
    this.#count('ADD refused');
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    slot.state = 'left';
  }

  async #detach(slot: Slot): Promise<void> {
    slot.state = 'busy';
    await this.node.sh(scriptOf(slot, 'DEL'));
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    this.#count('DEL');
    slot.state = 'none';
  }

  /** The container goes away, and nobody calls DEL; of some the disk has lost what was in their files. */
  async #vanish(slot: Slot): Promise<void> {
    slot.state = 'busy';
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    if (this.next() < 0.3 && this.#leaseOf(slot) === `${idOf(slot)}\r\neth0`)
      writeFileSync(this.node.path(`${leases}/${slot.address}`), '');
    if (this.next() < 0.2 && slot.isCached)
      await this.node.sh(`f=${results}/${network}-${idOf(slot)}-eth0; [ ! -e $f ] || : > $f`);
    this.#count('container vanished');
    slot.state = 'left';
  }

  /** The call is killed somewhere in the middle, and the container goes away. */
  async #killed(slot: Slot, command: 'ADD' | 'DEL'): Promise<void> {
    slot.state = 'busy';
    // The plugin alone is over in a few milliseconds, a chain of them takes its time.
    const seconds = (0.005 + this.next() * (slot.isCached ? 0.8 : 0.1)).toFixed(3);
    if (command === 'ADD') {
      slot.namespaces += 1;
      await this.node.sh(`ip netns add ${nameOf(slot)}`);
    }
    await this.node.sh(
      `timeout -s KILL ${seconds} sh -c '${scriptOf(slot, command)}' >/dev/null 2>&1 || true`,
    );
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    this.#count(`${command} killed`);
    slot.state = 'left';
  }

  #leaseOf({ address }: Slot): string | undefined {
    try {
      return this.node.read(`${leases}/${address}`);
    } catch {
      return undefined;
    }
  }

  /** Those that do not answer a packet. */
  async #silent(): Promise<string[]> {
    const addresses = this.living.map(({ address }) => address);
    if (addresses.length === 0) return [];
    const ping = 'ping -c 1 -W 3 -q {} >/dev/null || echo {}';
    const silent = await this.node.sh(
      `printf '%s\\n' ${addresses.join(' ')} | xargs -P 8 -I '{}' sh -c '${ping}'`,
    );
    return silent
      .split('\n')
      .filter(Boolean)
      .map((address) => `${address}: no answer to a ping`);
  }

  #count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}

const nameOf = ({ number, namespaces }: Slot) => `p${number}n${namespaces}`;
const idOf = ({ number, generation }: Slot) => `fire${number}x${generation}`;
const portOf = ({ number }: Slot) => 20_000 + number;

function scriptOf(slot: Slot, command: 'ADD' | 'DEL'): string {
  if (!slot.isCached) {
    const variables = `CNI_COMMAND=${command} CNI_CONTAINERID=${idOf(slot)} CNI_NETNS=/run/netns/${nameOf(slot)}`;
    return `${variables} CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin exec /opt/cni/bin/bridge </etc/cni/bridge.json`;
  }
  const ports = `{"portMappings":[{"hostPort":${portOf(slot)},"containerPort":80,"protocol":"tcp"}]}`;
  const words = `${network} ${nameOf(slot)} --container-id ${idOf(slot)}`;
  if (command === 'DEL') return `exec cni-debug del ${words}`;
  return `exec cni-debug add ${words} --capabilities "${ports.replaceAll('"', '\\"')}"`;
}
