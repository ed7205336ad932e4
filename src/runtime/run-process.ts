import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Environment } from '../cni/environment.ts';
import { OutputPipe } from './output-pipe.ts';
import { drainMs, type Ended, ProcessGroup } from './process-group.ts';
import { openStdinFile } from './stdin-file.ts';

/** Bytes kept of stdout and of stderr each; what comes after that is counted and thrown away. */
export const outputLimit = 16 * 1024 * 1024;

export interface ProcessRequest {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole of it: nothing of our own is added. */
  readonly environment: Environment;
  /** Without it the process finds stdin at its end. */
  readonly stdin?: string | Buffer;
  /** An open file that the process inherits as its descriptor 3. */
  readonly inherited?: number | undefined;
  /** Then the process and its group get SIGTERM, and SIGKILL after another `graceMs`. */
  readonly timeoutMs: number;
  /** Ends the process in the same way. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProcessOutcome {
  /** Name of the error number when there was no process: `ENOENT`; `ECANCELED` when `signal` was aborted before. */
  readonly failedToStart?: string;
  readonly pid?: number;
  /** Absent when a signal ended it, and with `signal` when not even SIGKILL did. */
  readonly status?: number;
  readonly signal?: NodeJS.Signals;
  /** Set when it was us who ended it. */
  readonly ended?: Ended;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Up to the exit of the process, in milliseconds. */
  readonly durationMs: number;
}

export interface Output {
  readonly bytes: Buffer;
  /** Of all that was written; more than there is in `bytes` when that was cut at `outputLimit`. */
  readonly length: number;
}

type Settle = (facts: Omit<ProcessOutcome, 'stdout' | 'stderr' | 'durationMs'>) => void;

/**
 * Runs an executable in a process group of its own and resolves when it has ended; never rejects.
 *
 * The process is started before this function returns, so that whoever calls it inside a network namespace can
 * leave that right after the call. Where no pipe can be made, its stdout and stderr are sockets: see `OutputPipe`.
 */
export function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const startedAt = performance.now();
  const stdout = new Capture();
  const stderr = new Capture();
  return new Promise((resolve) => {
    let exitedAt: number | undefined;
    const settle: Settle = (facts) => {
      const durationMs = (exitedAt ?? performance.now()) - startedAt;
      resolve({ ...facts, stdout: stdout.output(), stderr: stderr.output(), durationMs });
    };
    const failToStart = (error: unknown) => settle({ failedToStart: codeOf(error) });
    if (request.signal?.aborted) return settle({ failedToStart: 'ECANCELED' });
    try {
      const { child, outputs } = start(request, [stdout, stderr]);
      child.once('error', (error) => {
        for (const { stop } of outputs) stop();
        failToStart(error);
      });
      child.once('exit', () => {
        exitedAt = performance.now();
      });
      if (child.pid !== undefined) follow(child, child.pid, request, outputs, settle);
    } catch (error) {
      failToStart(error);
    }
  });
}

/** Where a process writes, while it is read. */
interface Source {
  /** Resolves when there is nothing more to come. */
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
}

interface Started {
  readonly child: ChildProcess;
  readonly outputs: readonly Source[];
}

function start(request: ProcessRequest, captures: Capture[]): Started {
  const { command, args = [], environment, stdin, inherited } = request;
  // Not imported above: a call that starts nothing need not load it. Not awaited: see runProcess.
  const { spawn }: typeof import('node:child_process') = require('node:child_process');
  const file = stdin === undefined ? undefined : openStdinFile(stdin);
  const first = stdin === undefined ? 'ignore' : (file ?? 'pipe');
  const pipes = captures.map(openOutput);
  const more = inherited === undefined ? [] : [inherited];
  const stdio: StdioOptions = [first, ...pipes.map((pipe) => pipe?.writer ?? 'pipe'), ...more];
  try {
    const child = spawn(command, args, { env: environment as NodeJS.ProcessEnv, stdio, detached: true });
    // Whether the process reads its stdin is its own affair: EPIPE and ECONNRESET are no errors.
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
    const streams = [child.stdout, child.stderr];
    const outputs = captures.map((capture, index) => sourceOf(pipes[index], streams[index], capture));
    return { child, outputs };
  } catch (error) {
    for (const pipe of pipes) pipe?.stop();
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
    for (const pipe of pipes) pipe?.closeWriter();
  }
}

/** Undefined where Koffi cannot be loaded, or descriptors are at an end. */
function openOutput(capture: Capture): OutputPipe | undefined {
  try {
    return new OutputPipe((chunk) => capture.take(chunk));
  } catch {
    return undefined;
  }
}

function sourceOf(
  pipe: OutputPipe | undefined,
  stream: Readable | null | undefined,
  capture: Capture,
): Source {
  if (pipe !== undefined) return { ended: pipe.ended, stop: () => pipe.stop() };
  stream?.on('data', (chunk: Buffer) => capture.take(chunk));
  const ended = new Promise((resolve) => stream?.once('close', resolve) ?? resolve(undefined));
  return { ended, stop: () => void stream?.destroy() };
}

/** Settles when the process has ended and all that it wrote is read, or when either is given up. */
function follow(
  child: ChildProcess,
  pid: number,
  request: ProcessRequest,
  outputs: readonly Source[],
  settle: Settle,
): void {
  let exit: Pick<ProcessOutcome, 'status' | 'signal'> = {};
  let drain: NodeJS.Timeout | undefined;
  let isFinished = false;
  const finish = () => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(drain);
    child.removeAllListeners('exit').unref();
    child.stdin?.destroy();
    for (const { stop } of outputs) stop();
    group.finish();
    settle({ pid, ...exit, ...(group.ended === undefined ? {} : { ended: group.ended }) });
  };
  const group = new ProcessGroup(pid, request.timeoutMs, request.signal, finish);
  child.once('exit', (status, signal) => {
    exit = signal === null ? { status: status ?? 0 } : { signal };
    group.leaderExited();
    if (group.ended === undefined) drain = setTimeout(finish, drainMs);
    Promise.all(outputs.map(({ ended }) => ended)).then(finish);
  });
}

/** The start of what a stream brings. */
class Capture {
  private readonly chunks: Uint8Array[] = [];
  private kept = 0;
  private length = 0;

  take(chunk: Uint8Array): void {
    const part = chunk.subarray(0, outputLimit - this.kept);
    if (part.length > 0) this.chunks.push(part);
    this.kept += part.length;
    this.length += chunk.length;
  }

  output(): Output {
    return { bytes: Buffer.concat(this.chunks), length: this.length };
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
