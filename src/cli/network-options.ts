import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseArgs } from '../cni/args.ts';
import { isObject, type JsonObject, newObject, parseJson } from '../cni/json.ts';
import { openTrace } from '../cni/trace-context.ts';
import type { NodePlaces } from '../node/node-places.ts';
import type { RuntimeConfiguration } from '../runtime/network-list.ts';
import { defaultCacheDir } from '../runtime/result-cache.ts';
import { parseDuration } from '../trace/quantity.ts';
import { endingSignal } from './ending.ts';
import type { Progress } from './progress.ts';

/** What every verb may be told that looks at this node's networks. */
export interface PlaceOptions extends NodePlaces {
  readonly json?: true;
}

/** And what those may that run plugins. */
export interface NetworkOptions extends PlaceOptions {
  readonly pluginDir: string;
  /** ms */
  readonly timeout: number;
}

/** And what those may that make one attachment. */
export interface AttachmentOptions extends NetworkOptions {
  readonly ifname?: string;
  readonly containerId?: string;
  readonly args: string;
  readonly capabilities: JsonObject;
}

export function withConfDir(command: Command): Command {
  return command.addOption(
    new Option('--conf-dir <folder>', 'where networks are configured')
      .env('NETCONFPATH')
      .default('/etc/cni/net.d'),
  );
}

export function withPlaceOptions(command: Command): Command {
  return withConfDir(command)
    .option('--cache-dir <folder>', 'what is known of attachments', defaultCacheDir)
    .option('--json', 'print JSON, errors too');
}

export function withNetworkOptions(command: Command): Command {
  return withPlaceOptions(
    command
      .addOption(
        new Option('--plugin-dir <folders>', 'where plugins are, with ":" between several')
          .env('CNI_PATH')
          .default('/opt/cni/bin'),
      )
      .addOption(durationOption('--timeout <duration>', 'how long each plugin may take', '2m')),
  );
}

/** An option whose value is in ms. */
export function durationOption(flags: string, does: string, otherwise: string): Option {
  return new Option(flags, does).default(duration(otherwise), otherwise).argParser(duration);
}

export function withAttachmentOptions(command: Command): Command {
  return withCallOptions(
    command.addOption(
      new Option('--ifname <name>', 'the interface in the container; else eth0').env('CNI_IFNAME'),
    ),
  );
}

/** Those of an attachment whose interface has its name already. */
export function withCallOptions(command: Command): Command {
  return withNetworkOptions(
    command
      .option('--container-id <id>', "the container ID; else as cnitool derives it, or the container's own")
      .addOption(new Option('--args <K=V;K=V>', 'CNI_ARGS').env('CNI_ARGS').default('').argParser(args))
      .addOption(
        new Option('--capabilities <json>', 'capability arguments, as {"portMappings": [...]}')
          .env('CAP_ARGS')
          .default(newObject(), 'none')
          .argParser(capabilities),
      ),
  );
}

/** How plugins are run, as the options say; ended by the signals that end this process. */
export function executionOf(
  { pluginDir, cacheDir, timeout }: NetworkOptions,
  progress: Progress,
): Omit<RuntimeConfiguration, 'containerID' | 'netns' | 'ifName'> {
  return {
    ...{ cniPath: pluginDir, cacheDir, timeoutMs: timeout, signal: endingSignal() },
    trace: openTrace(process.env),
    onCall: (command, place) => progress.show(`${command} of ${place}`),
    onWarning: (message) => progress.note(message),
  };
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('A duration is a number and ms, s, m or h: 30s.');
  return ms;
}

function args(text: string): string {
  const [piece] = parseArgs(text).malformed;
  if (piece === undefined) return text;
  throw new InvalidArgumentError(`${JSON.stringify(piece)} is no pair of key and value: K=V;K=V.`);
}

function capabilities(text: string): JsonObject {
  if (text === '') return newObject();
  try {
    const document = parseJson(text);
    if (isObject(document)) return document;
  } catch (error) {
    throw new InvalidArgumentError(
      `It is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  throw new InvalidArgumentError('It is not a JSON object, as {"portMappings": [...]}.');
}
