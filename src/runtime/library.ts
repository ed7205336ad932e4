/**
 * What a program gets that imports `cni-debug/runtime`: the operations of libcni, with its cache. Everything here
 * rejects with a CniError for what a plugin or a configuration says, and with a SystemError for what the kernel says.
 */
export { type NetworkList, parseConflist } from '../cni/conflist.ts';
export { CniError, ErrorCode } from '../cni/error.ts';
export type { Json, JsonNumber, JsonObject } from '../cni/json.ts';
export type { ValidAttachment } from '../cni/valid-attachments.ts';
export { type GarbageCollection, gcNetworkList } from './gc-network-list.ts';
export { ChainError } from './member.ts';
export {
  findNetwork,
  type NetworkFile,
  type NetworkFiles,
  networkFiles,
  readNetworkFile,
  UnknownNetworkError,
} from './network-files.ts';
export {
  addNetwork,
  addNetworkList,
  checkNetwork,
  checkNetworkList,
  delNetwork,
  delNetworkList,
  getStatusNetworkList,
  type RuntimeConfiguration,
} from './network-list.ts';
export { type CachedAttachment, type CacheEntry, ResultCache } from './result-cache.ts';
