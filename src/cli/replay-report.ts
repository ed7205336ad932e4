import { isObject, type Json, type JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { outcomeText } from '../replay/outcome.ts';
import type { Replayed } from '../replay/replay.ts';
import { type Redactor, redactor } from '../trace/redaction.ts';
import type { StoredRecord } from '../trace/stored-record.ts';
import { visible } from '../trace/visible-text.ts';
import { paintFor } from './terminal.ts';

/** Both outcomes side by side, the steps with their times, and with `showsDifference` that of the answers. */
export function replayText(record: StoredRecord, replayed: Replayed, showsDifference: boolean): string {
  const paint = paintFor();
  const { text } = redactorOf(record);
  const shown = (words: string) => visible(text(words));
  const { recorded, replayed: now, isSame, steps, standIns, difference } = replayed;
  const { command, plugin, network, containerID, ifName, id, startedAt } = record;
  const whose = [containerID.slice(0, 12), ifName].filter(Boolean).join(' ');
  const head = `${command} of "${plugin}", network "${network}", ${whose} (record ${id}, ${startedAt.toISOString()})`;
  const outcome = isSame ? paint('green', 'the outcome is the same') : paint('red', 'the outcome differs');
  const lines = [
    paint('bold', shown(head)),
    `  recorded  ${took(recorded.duration)}  ${shown(outcomeText(recorded))}`,
    `  replayed  ${took(now.duration)}  ${shown(outcomeText(now))}`,
    ...(standIns.length === 0 ? [] : [`  stand-ins for what the node had: ${shown(standIns.join(', '))}`]),
    ...(steps.length === 0 ? [] : ['', paint('dim', '  recorded  replayed  step')]),
    ...steps.map((step) => `  ${cell(step.recorded)}  ${cell(step.replayed)}  ${shown(step.name)}`),
    '',
    outcome + (isSame || showsDifference ? '' : '; --diff shows how'),
    ...(showsDifference ? difference.map(shown) : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for a program. */
export function replayDocument(record: StoredRecord, replayed: Replayed): Json {
  const { id, command, plugin, network } = record;
  const whole = { record: id, command, plugin, network, ...replayed };
  return redactorOf(record).json(JSON.parse(JSON.stringify(whole)) as Json);
}

/** What was given in place of what was redacted is printed as little as that. */
function redactorOf({ document: { configuration } }: StoredRecord): Redactor {
  const patterns = isObject(configuration) ? lookUp(configuration as JsonObject, 'redact') : undefined;
  return redactor(Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === 'string') : []);
}

function took(ms: number | undefined): string {
  return cell(ms).padStart(11);
}

function cell(ms: number | undefined): string {
  return ms === undefined ? '       -' : `${ms.toFixed(1).padStart(5)} ms`;
}
