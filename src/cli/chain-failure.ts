import type { CniError } from '../cni/error.ts';
import { type Json, type JsonObject, newObject } from '../cni/json.ts';
import type { RecordPlace } from '../node/journals.ts';
import { ChainError } from '../runtime/member.ts';
import { CommandFailure, ExitStatus } from './failure.ts';

/** A plugin's error, or another one of a network, as a verb ends with it: with the record in which everything stands. */
export function chainFailure(error: CniError, record?: RecordPlace): CommandFailure {
  const advice = [
    ...(error.details === '' ? [] : [error.details]),
    ...(error instanceof ChainError ? [whereRecorded(record)] : []),
  ];
  const message = `${error.message} (code ${error.code})`;
  return new CommandFailure(ExitStatus.no, message, advice, asJson(error, record));
}

function whereRecorded(record: RecordPlace | undefined): string {
  if (record?.isFailure) return `record: ${record.id} in ${record.path}`;
  if (record !== undefined)
    return `record: ${record.id} in ${record.path}, of a plugin that did its part; the one that failed keeps none`;
  return 'no record: none of the plugins is "debug", which keeps one of every call (cni-debug install --into FILE)';
}

/** The error as the specification has it (section 5), and what only a runtime knows of it. */
function asJson(error: CniError, record?: RecordPlace): JsonObject {
  const { code, message, details } = error;
  const members: [string, Json][] = [
    ['code', code],
    ['msg', message],
  ];
  if (details !== '') members.push(['details', details]);
  if (error instanceof ChainError) {
    const { network, command, plugin, position, count } = error;
    members.push(['chain', newObject(Object.entries({ network, command, plugin, position, count }))]);
  }
  if (record !== undefined)
    members.push(['record', newObject(Object.entries({ id: record.id, path: record.path }))]);
  return newObject(members);
}
