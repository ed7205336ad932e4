import { closeSync, existsSync, openSync, readSync } from 'node:fs';

/** e_machine of elf(5), for those that a node of a cluster may be. */
const machines: Readonly<Record<number, string>> = {
  3: 'i386',
  22: 's390x',
  21: 'ppc64',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
};

/** Machines that also run the executables of another. */
const alsoRuns: Readonly<Record<number, number>> = { 62: 3, 183: 40 };

/** Why the kernel does not know how to execute a file (ENOEXEC); undefined where nothing of the kind is seen. */
export function unknownFormat(path: string): string | undefined {
  const start = readStart(path);
  if (start === undefined) return undefined;
  if (start.length === 0) return 'the file is empty';
  if (start.toString('latin1', 0, 2) === '#!') return undefined;
  const machine = machineOf(start);
  if (machine === undefined) return 'the file has no "#!" line and is no ELF executable';
  const own = machineOf(readStart('/proc/self/exe') ?? Buffer.alloc(0));
  if (own === undefined || machine === own || machine === alsoRuns[own]) return undefined;
  return `the file is for ${nameOf(machine)} and this machine is ${nameOf(own)}`;
}

/** What a file needs to be executed and is not there, though the file itself is (ENOENT). */
export function missingInterpreter(path: string): string | undefined {
  const start = readStart(path);
  if (start === undefined) return undefined;
  if (machineOf(start) !== undefined) return 'the dynamic loader that it was linked for is missing';
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(start.toString('latin1'))?.[1];
  if (interpreter === undefined) return undefined;
  if (interpreter.endsWith('\r')) return 'its first line ends in a carriage return: it needs Unix line ends';
  return existsSync(interpreter) ? undefined : `its interpreter ${interpreter} is missing`;
}

/** As much as the kernel itself looks at (BINPRM_BUF_SIZE). */
function readStart(path: string): Buffer | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(256);
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function machineOf(start: Buffer): number | undefined {
  if (start.length < 20 || start.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  const isLittleEndian = start[5] === 1;
  return isLittleEndian ? start.readUInt16LE(18) : start.readUInt16BE(18);
}

function nameOf(machine: number): string {
  return machines[machine] ?? `machine ${machine}`;
}
