import type { Configuration } from '../cni/configuration.ts';
import { convertResult, latestResult } from '../cni/conversion.ts';
import type { Command } from '../cni/environment.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import { lookUp } from '../cni/keys.ts';
import type { Invocation } from '../cni/plugin.ts';
import { type Result, readResult, versionOfResult } from '../cni/result.ts';
import type { ValidAttachment } from '../cni/valid-attachments.ts';
import type { Step } from '../kernel/netlink/socket.ts';

/** Where a plugin gets the addresses of its interface from: the `ipam` of its configuration. */
export interface Ipam {
  /** In the latest version, with `ips`, `routes` and `dns`. */
  add(): Promise<Result>;
  check(): Promise<void>;
  /** `addresses` is what the attachment is known to have: a hint, not a limit. */
  del(addresses: readonly string[]): Promise<void>;
  /** The owners whose addresses were freed, as far as that is known. */
  gc(): Promise<readonly ValidAttachment[]>;
  status(): Promise<void>;
}

interface IpamContext {
  readonly step: Step;
  readonly warn: (rule: string, object: string, message: string) => void;
}

/** Undefined for an interface without addresses. host-local is ours; every other type is a plugin to be executed. */
export async function openIpam(
  invocation: Invocation,
  type: string,
  context: IpamContext,
): Promise<Ipam | undefined> {
  if (type === '') return undefined;
  if (type !== 'host-local') return delegatedIpam(invocation, type, context);
  const { hostLocalIpam } = await import('./host-local-ipam.ts');
  return hostLocalIpam(invocation, context);
}

/** Section 4, "Delegated Plugins": the whole configuration and the same environment. */
function delegatedIpam(invocation: Invocation, type: string, { step, warn }: IpamContext): Ipam {
  const call = async (command: Command) => {
    const [{ execPlugin }, { findPlugin }] = await Promise.all([
      import('../runtime/exec-plugin.ts'),
      import('../runtime/find-plugin.ts'),
    ]);
    const { environment, path, signal, configuration } = invocation;
    const account = await step(`ipam ${command} ${type}`, () =>
      execPlugin({
        type,
        path: findPlugin(type, path),
        command,
        environment,
        configuration: configuration.document,
        timeoutMs: IPAM_TIMEOUT_MS,
        signal,
      }),
    );
    if (account.stderr !== '') invocation.writeStderr(account.stderr);
    if (!account.outcome.ok) throw account.outcome.error;
    return account.outcome.result;
  };
  const quietly = async (command: Command) => void (await call(command));
  return {
    add: async () => {
      try {
        return addressesOf(invocation.configuration, await call('ADD'));
      } catch (error) {
        // What it had done already is taken back; that this failed, too, adds nothing to the first error.
        await quietly('DEL').catch(({ message }: Error) =>
          warn('undo-failed', type, `DEL after the failed ADD: ${message}`),
        );
        throw error;
      }
    },
    check: () => quietly('CHECK'),
    del: () => quietly('DEL'),
    gc: async () => {
      await call('GC');
      return [];
    },
    status: () => quietly('STATUS'),
  };
}

/** A DHCP server may take its time. */
const IPAM_TIMEOUT_MS = 60_000;

function addressesOf({ cniVersion }: Configuration, answer: Result | object | undefined): Result {
  const document = (answer ?? {}) as Result;
  const version = versionOfResult(document, cniVersion);
  const result = latestResult(
    convertResult(readResult(document, version, 'ipam result'), version, version),
    version,
  );
  const ips = lookUp(result, 'ips');
  if (Array.isArray(ips) && ips.length > 0) return result;
  throw new CniError(ErrorCode.internal, 'IPAM plugin returned missing IP config');
}
