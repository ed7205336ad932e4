import { writeFileSync } from 'node:fs';
import { OperatorNode } from '../cli/operator-node.ts';
import { leaseOf, leases, lossesOf, results } from './fire-losses.ts';
import { files, idOf, nameOf, network, newSlot, type Slot, scriptOf } from './fire-slot.ts';

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

/** What says of a table or chain what it is for. */
const boilerplate = /made by cni-debug|of network fire|plugins from github|Masquerade traffic from/;

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
    this.slots = Array.from({ length: size }, (_, number) => newSlot(number));
  }

  static async start(size: number, seed: number): Promise<Fire> {
    const node = await OperatorNode.start({ hasProcesses: true });
    for (const [path, content] of Object.entries(files)) node.write(path, content);
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
  losses(): Promise<string[]> {
    return lossesOf(this.node, this.living);
  }

  /** Takes elements of living containers away, as who edits the firewall by hand. */
  async flushSome(): Promise<void> {
    const some = this.living.filter(({ caller }) => caller === 'command line' && this.next() < 0.2);
    if (some.length === 0) return;
    const addresses = some.map(({ address }) => address).join(', ');
    await this.node.sh(`nft delete element inet cni_debug masquerade4 '{ ${addresses} }'`);
    this.#count('elements flushed', some.length);
  }

  /** DEL of every container that lives. */
  async end(): Promise<void> {
    const going = this.living;
    const worker = async () => {
      for (let slot = going.pop(); slot !== undefined; slot = going.pop()) await this.#detach(slot);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  }

  /** Everything that attachments have on the node. */
  async leftovers(): Promise<string[]> {
    const find = `find ${leases} ${results} /var/lib/cni/cni-debug -type f ! -name lock ! -name 'last_reserved_ip.*'`;
    const left = await this.node.sh(
      `${find}; ip -brief link show type veth; nft list ruleset | grep comment`,
    );
    return left.split('\n').filter((line) => line !== '' && !boilerplate.test(line));
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
      const { ips, interfaces } = JSON.parse(stdout);
      slot.address = ips[0].address.split('/')[0];
      slot.port = interfaces[1].name;
      slot.state = 'living';
      this.#count(`ADD by ${slot.caller}`);
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
    const { status, stdout, stderr } = await this.node.run(scriptOf(slot, 'DEL'));
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    // The reference looks for what another backend might have made, and fails where iptables 1.8.9 says it in its way.
    if (status !== 0 && slot.caller !== 'reference')
      throw new Error(`DEL of ${idOf(slot)}: ${stdout}${stderr}`);
    this.#count(`DEL by ${slot.caller}`);
    slot.state = status === 0 ? 'none' : 'left';
  }

  /** The container goes away, and nobody calls DEL; of some the disk has lost what was in their files. */
  async #vanish(slot: Slot): Promise<void> {
    slot.state = 'busy';
    await this.node.sh(`ip netns del ${nameOf(slot)}`);
    if (this.next() < 0.3 && leaseOf(this.node, slot) === `${idOf(slot)}\r\neth0`)
      writeFileSync(this.node.path(`${leases}/${slot.address}`), '');
    if (this.next() < 0.2 && slot.caller === 'command line')
      await this.node.sh(`f=${results}/${network}-${idOf(slot)}-eth0; [ ! -e $f ] || : > $f`);
    this.#count('container vanished');
    slot.state = 'left';
  }

  /** The call is killed somewhere in the middle, and the container goes away. */
  async #killed(slot: Slot, command: 'ADD' | 'DEL'): Promise<void> {
    slot.state = 'busy';
    // The plugin alone is over in a few milliseconds, a chain of them takes its time.
    const seconds = (0.005 + this.next() * (slot.caller === 'command line' ? 0.8 : 0.1)).toFixed(3);
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

  #count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}
