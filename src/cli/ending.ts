import { CommandFailure, ExitStatus } from './failure.ts';

const ending = new AbortController();
let signalName: NodeJS.Signals | undefined;

/** Aborted, with a CommandFailure, when this process is asked to end: then what was begun is taken back. */
export function endingSignal(): AbortSignal {
  if (listening) return ending.signal;
  listening = true;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      signalName ??= name;
      const message = `ended by ${name}; what was begun is taken back`;
      ending.abort(new CommandFailure(ExitStatus.no, message));
    });
  }
  return ending.signal;
}

/** What ended this process, if something did. */
export function endedBy(): NodeJS.Signals | undefined {
  return signalName;
}

let listening = false;
