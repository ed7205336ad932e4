import type { Injected, NetworkList } from '../cni/conflist.ts';
import { convertResult } from '../cni/conversion.ts';
import { CniError, ErrorCode } from '../cni/error.ts';
import type { JsonObject } from '../cni/json.ts';
import { readResult, versionOfResult } from '../cni/result.ts';
import { isAtLeast } from '../cni/version.ts';
import { attemptAll } from './attempt-all.ts';
import type { Attaching, Execution } from './execution.ts';
import { ChainError, callPlugin, inTrace, type Member, membersOf, placed, type Traced } from './member.ts';

/**
 * ADD of every plugin in order, each with the result of the one before; resolves to the last result, in the list's
 * version. When one fails, every plugin gets its DEL in reverse, and a ChainError is thrown, in whose details is also
 * what DEL had to say.
 */
export async function addChain(list: NetworkList, attaching: Attaching): Promise<JsonObject> {
  const traced = inTrace(attaching);
  let prevResult: JsonObject | undefined;
  try {
    for (const member of membersOf(list)) prevResult = await addOne(member, traced, prevResult);
  } catch (error) {
    throw await undo(list, traced, CniError.from(error));
  }
  if (prevResult !== undefined) return prevResult;
  throw new CniError(ErrorCode.invalidConfiguration, `network "${list.name}" has no plugins`);
}

/**
 * DEL of every plugin in reverse. libcni stops at the first error; here the others have their turn, and the first
 * error is thrown when all are done.
 *
 * @param prevResult what ADD answered; passed on since 0.4.0 only
 */
export async function delChain(
  list: NetworkList,
  attaching: Attaching,
  prevResult: JsonObject | undefined,
): Promise<void> {
  const injected = isAtLeast(list.cniVersion, '0.4.0') ? { prevResult } : {};
  const traced = inTrace(attaching);
  let first: CniError | undefined;
  for (const member of membersOf(list).reverse()) {
    try {
      await callPlugin('DEL', member, traced, injected);
    } catch (error) {
      first ??= CniError.from(error);
    }
  }
  if (first !== undefined) throw first;
}

/** CHECK of every plugin in order, up to the first error, which is thrown. */
export async function checkChain(
  list: NetworkList,
  attaching: Attaching,
  prevResult: JsonObject,
): Promise<void> {
  const traced = inTrace(attaching);
  for (const member of membersOf(list)) await callPlugin('CHECK', member, traced, { prevResult });
}

/** STATUS of every plugin in order, up to the first error, which is thrown. */
export async function statusChain(list: NetworkList, execution: Execution): Promise<void> {
  const traced = inTrace(execution);
  for (const member of membersOf(list)) await callPlugin('STATUS', member, traced, {});
}

/** GC of every plugin, whatever the others say; then the first error is thrown, with the others in its details. */
export async function gcChain(
  list: NetworkList,
  execution: Execution,
  validAttachments: Injected['validAttachments'],
): Promise<void> {
  const traced = inTrace(execution);
  await attemptAll(
    ...membersOf(list).map((member) => () => callPlugin('GC', member, traced, { validAttachments })),
  );
}

/** A result that the specification does not allow is thrown as the error of the plugin that printed it. */
async function addOne(
  member: Member,
  attaching: Traced<Attaching>,
  prevResult: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const result = await callPlugin('ADD', member, attaching, { prevResult });
  if (result === undefined) return undefined;
  try {
    const { cniVersion } = member.list;
    const version = versionOfResult(result, cniVersion);
    return convertResult(readResult(result, version, 'result'), version, cniVersion);
  } catch (error) {
    throw placed(CniError.from(error), 'ADD', member);
  }
}

/** The error that ADD failed with; what DEL then had to say is added to its details. */
async function undo(list: NetworkList, attaching: Attaching, failure: CniError): Promise<CniError> {
  try {
    // A call that was ended must still clean up after itself.
    await delChain(list, { ...attaching, signal: undefined }, undefined);
    return failure;
  } catch (error) {
    const undone = `then DEL failed, too: ${CniError.from(error).message}`;
    const details = failure.details === '' ? undone : `${failure.details}; ${undone}`;
    if (!(failure instanceof ChainError))
      return new CniError(failure.code, failure.message, { details, cause: failure });
    const { network, command, position, count, plugin, cause } = failure;
    return new ChainError(network, command, position, count, plugin, CniError.from(cause), details);
  }
}
