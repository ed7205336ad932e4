import { CniError } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/cni/json.ts';
import { lookUp, withKey } from '../../src/cni/keys.ts';
import type { Invocation } from '../../src/cni/plugin.ts';
import type { Problem } from '../../src/cni/problem.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';
import type { Surroundings } from '../built-in.ts';
import { type Delegate, openDelegate } from '../delegate.ts';
import { readSettings, readUsableSettings, type Settings } from './configuration.ts';
import { configurationFor, configurationWithout } from './delegate-configuration.ts';
import { StateFiles } from './state-files.ts';
import { readSubnetFile } from './subnet-file.ts';

/** One call of the flannel plugin: what it was asked for, and what it does that with. */
export interface Call {
  readonly invocation: Invocation;
  readonly surroundings: Surroundings;
  readonly settings: Settings;
  readonly states: StateFiles;
  /** What is wrong with the keys, where that is no error at once. */
  readonly problems: readonly Problem[];
}

/** Throws code 7 for a configuration that is wrong. */
export function openCall(invocation: Invocation, surroundings: Surroundings): Call {
  return open(invocation, surroundings, readSettings(invocation.configuration.document), []);
}

/** For what removes things: what is wrong with the configuration is said, and does not stop it. */
export function openRemovingCall(invocation: Invocation, surroundings: Surroundings): Call {
  const { settings, problems } = readUsableSettings(invocation.configuration.document);
  for (const { path, message } of problems) surroundings.warn('malformed-key', path, message);
  return open(invocation, surroundings, settings, problems);
}

function open(
  invocation: Invocation,
  surroundings: Surroundings,
  settings: Settings,
  problems: readonly Problem[],
): Call {
  const states = new StateFiles(settings.dataDir, invocation.configuration.name);
  return { invocation, surroundings, settings, states, problems };
}

/** What the delegate is to be given. Throws as `readSubnetFile`. */
export function configurationOf({ invocation, settings, surroundings }: Call): JsonObject {
  const { subnetFile } = settings;
  const subnet = surroundings.step(`read ${subnetFile}`, () => readSubnetFile(subnetFile));
  return configurationFor(invocation.configuration, settings, subnet);
}

/** The same as far as it is known; that there is no subnet is only said. */
export function knownConfigurationOf(call: Call): JsonObject {
  try {
    return configurationOf(call);
  } catch (thrown) {
    const { invocation, settings, surroundings } = call;
    surroundings.warn('no-subnet', settings.subnetFile, CniError.from(thrown).message);
    return configurationWithout(invocation.configuration, settings);
  }
}

/** What ADD gave to the delegate, with what the runtime says now, cut to the capabilities that are declared for it. */
export function keptConfigurationOf({ invocation, settings }: Call, kept: JsonObject): JsonObject {
  const isSame = lookUp(kept, 'type') === settings.type;
  const capabilities = isSame ? lookUp(settings.delegate, 'capabilities') : undefined;
  const declaring = capabilities === undefined ? kept : withKey(kept, 'capabilities', capabilities);
  return delegateConfiguration(invocation.configuration, declaring);
}

/** A bridge is always our own. Throws when CNI_PATH has no plugin of that type. */
export function delegateOf({ invocation, surroundings }: Call, type: string): Delegate {
  return openDelegate(invocation, surroundings, type, ['bridge']);
}
