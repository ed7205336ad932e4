/**
 * Error codes of the specification, section 5 ("Error"), with the two that only the reference's
 * `pkg/types` has: 8 and 999. Plugins use 100 and up for their own.
 */
export const ErrorCode = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfiguration: 7,
  invalidNetNS: 8,
  tryAgainLater: 11,
  pluginNotAvailable: 50,
  limitedConnectivity: 51,
  internal: 999,
} as const;

/** An error as a plugin prints it: `{cniVersion, code, msg, details}`. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;
  readonly details: string;

  constructor(code: number, message: string, options: { details?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? '';
  }

  /** Whatever was thrown, as an error the specification knows: what is not a CniError is code 999. */
  static from(thrown: unknown): CniError {
    if (thrown instanceof CniError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new CniError(ErrorCode.internal, message, { cause: thrown });
  }
}

/** Code 7 for one value of a document, whose message begins with its path, such as `ipam.ranges[0][1].rangeStart`. */
export class ValueError extends CniError {
  constructor(
    readonly path: string,
    message: string,
  ) {
    super(ErrorCode.invalidConfiguration, message);
  }
}
