import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inside } from '../namespace-command.ts';

/** What the program in the namespace is asked for. */
export type Request =
  | { serve: 'tcp' | 'udp'; name: string; host: string; port: number }
  | { ask: 'tcp'; host: string; port: number; localAddress?: string; waitMs: number }
  | { ask: 'udp'; host: string; port: number; localPort?: number; waitMs: number };

export type Answer = { id: number } & ({ text: string } | { error: string });

export interface From {
  /** tcp unless said otherwise. */
  readonly protocol?: 'tcp' | 'udp';
  /** TCP only. */
  readonly localAddress?: string;
  /** UDP only: all who ask from one port have one socket. */
  readonly localPort?: number;
}

const program = join(import.meta.dir, 'peer-program.ts');

/** Long where an answer is expected, so that only loss fails; short where none is. */
const patienceMs = 20_000;
const shortMs = 400;

/** Sockets in a network namespace: servers that tell who they are and whom they see, and clients. For `using`. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  /** @param name what its servers call themselves */
  constructor(
    readonly netns: string,
    readonly name: string,
  ) {
    this.#child = inside(netns, () =>
      spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    this.#child.stdin?.on('error', () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const answer: Answer = JSON.parse(line);
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Resolves when it listens: on all addresses of both families unless on one. */
  async serve(protocol: 'tcp' | 'udp', port: number, host = '::'): Promise<void> {
    const answer = await this.#request({ serve: protocol, name: this.name, host, port });
    if ('error' in answer) throw new Error(`${this.name} cannot listen on ${host} ${port}: ${answer.error}`);
  }

  /** What the server at `host` says: `pod sees 192.0.2.2`. Throws when nothing comes. */
  async ask(host: string, port: number, from: From = {}): Promise<string> {
    const answer = await this.#question(host, port, from, patienceMs);
    if ('text' in answer) return answer.text;
    throw new Error(`${this.name} asked ${host} ${port}: ${answer.error}`);
  }

  /** The same where nobody should answer: why not (`ECONNREFUSED`, `no answer`, ...), or what was said after all. */
  async refusal(host: string, port: number, from: From = {}): Promise<string> {
    const answer = await this.#question(host, port, from, shortMs);
    return 'text' in answer ? `answered: ${answer.text}` : answer.error;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #question(
    host: string,
    port: number,
    { protocol = 'tcp', ...from }: From,
    waitMs: number,
  ): Promise<Answer> {
    return this.#request({ ask: protocol, host, port, ...from, waitMs } as Request);
  }

  #request(request: Request): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }
}
