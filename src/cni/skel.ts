import { CniError, ErrorCode } from './error.ts';
import { type Json, newObject, stringifyJson } from './json.ts';
import { type Clock, type Io, type Outcome, type Plugin, stdinLimit } from './plugin.ts';
import { latestVersion, supportedVersions, type Version } from './version.ts';

/**
 * Answers one call of the plugin that `load` brings; the only place that writes stdout, and it writes exactly one
 * JSON value there, or nothing where the specification says so, unless the configuration asks for a fault. Resolves to the
 * exit status: 0 or 1, without a fault.
 */
export async function run(about: string, load: (clock: Clock) => Promise<Plugin>, io: Io): Promise<number> {
  const command = io.environment.CNI_COMMAND ?? '';
  if (command === '') {
    io.writeStderr(`${about}\nCNI protocol versions supported: ${supportedVersions.join(', ')}\n`);
    return 0;
  }
  if (command === 'VERSION') {
    return print(io, { cniVersion: latestVersion, supportedVersions: [...supportedVersions] }) ? 0 : 1;
  }

  const ending = new AbortController();
  io.onSignal((name) => {
    ending.abort(new CniError(ErrorCode.internal, `${command} was ended by ${name}`));
  });
  try {
    const stdin = io.readStdin(stdinLimit, ending.signal);
    // Whoever awaits it below has its error; until then it is nobody's.
    stdin.catch(() => {});
    // Not imported above, because VERSION does not need it; and while stdin is read.
    const [plugin, { call }] = await Promise.all([load(io.clock), import('./call.ts')]);
    const { outcome, version } = await call(plugin, io, stdin, ending.signal);
    const { fault } = outcome;
    if (fault === undefined) return answer(io, outcome, version);
    const { spoilAnswer } = await import('./spoiled-answer.ts');
    return await spoilAnswer(fault, io, (to) => answer(to, outcome, version));
  } catch (thrown) {
    return fail(io, CniError.from(thrown));
  }
}

function answer(io: Io, outcome: Outcome, version: Version | undefined): 0 | 1 {
  if ('error' in outcome) return fail(io, outcome.error, version);
  return outcome.result === undefined || print(io, outcome.result) ? 0 : 1;
}

/** Prints the error as section 5 has it, in the version of the configuration as far as that is known. */
function fail(io: Io, { code, message, details }: CniError, cniVersion: Version = latestVersion): 1 {
  print(io, { cniVersion, code, msg: message, ...(details === '' ? {} : { details }) });
  return 1;
}

/** Whether it could be written. */
function print(io: Io, document: Readonly<Record<string, Json>>): boolean {
  try {
    io.writeStdout(`${stringifyJson(newObject(Object.entries(document)), '    ')}\n`);
    return true;
  } catch (error) {
    io.writeStderr(
      `stdout could not be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return false;
  }
}
