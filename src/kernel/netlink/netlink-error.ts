import { errnoName, errnoText } from '../errno.ts';

/** The kernel refused: `dump links: Operation not permitted (EPERM)`, with its own explanation behind a colon. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** The name of the error number: `EPERM`. */
  readonly code: string;

  /**
   * @param operation what was asked, in words that name the object: `add 10.22.0.5/16 to "eth0"`
   * @param errno positive, as in errno(3)
   * @param kernelMessage the text of the extended acknowledgement (NLMSGERR_ATTR_MSG), when there is one
   */
  constructor(
    readonly operation: string,
    readonly errno: number,
    readonly kernelMessage?: string,
  ) {
    const explanation = kernelMessage === undefined ? '' : `: ${kernelMessage}`;
    super(`${operation}: ${errnoText(errno)} (${errnoName(errno)})${explanation}`);
    this.code = errnoName(errno);
  }
}
