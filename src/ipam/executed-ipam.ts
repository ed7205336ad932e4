import type { Configuration } from '../cni/configuration.ts';
import { latestResult } from '../cni/conversion.ts';
import type { Command } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { type JsonObject, newObject } from '../cni/json.ts';
import type { Observer } from '../cni/observer.ts';
import type { Invocation } from '../cni/plugin.ts';
import { type Result, readResult, versionOfResult } from '../cni/result.ts';
import { executeDelegate } from '../runtime/execute-delegate.ts';
import { findPlugin } from '../runtime/find-plugin.ts';
import type { Ipam } from './ipam.ts';

/** Section 4, "Delegated Plugins": the whole configuration and the same environment. */
export function executedIpam(invocation: Invocation, type: string, { step, warn }: Observer): Ipam {
  const { path, signal, configuration } = invocation;
  const call = async (command: Command) => {
    const { outcome } = await step(`ipam ${command} ${type}`, () => {
      const order = { type, path: findPlugin(type, path), command, configuration: configuration.document };
      return executeDelegate(invocation, order);
    });
    return outcome.ok ? outcome.result : undefined;
  };
  const add = async () => {
    try {
      return addressesOf(configuration, (await call('ADD')) ?? newObject());
    } catch (error) {
      // What was cut short is left to the DEL of the runtime that ends us.
      if (signal.aborted) throw error;
      await call('DEL').catch(({ message }: Error) =>
        warn('undo-failed', type, `${type}: DEL after the failed ADD: ${message}`),
      );
      throw error;
    }
  };
  return {
    add,
    undoAdd: async () => void (await call('DEL')),
    check: async () => void (await call('CHECK')),
    del: async () => void (await call('DEL')),
    async gc() {
      await call('GC');
      return [];
    },
    status: async () => void (await call('STATUS')),
  };
}

function addressesOf({ cniVersion }: Configuration, answer: JsonObject): Result {
  const version = versionOfResult(answer, cniVersion);
  const result = latestResult(readResult(answer, version, 'ipam result'), version);
  if (result.ips !== undefined && result.ips.length > 0) return result;
  throw new CniError(ErrorCode.internal, 'IPAM plugin returned missing IP config');
}
