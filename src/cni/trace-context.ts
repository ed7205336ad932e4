import type { Environment } from './environment.ts';

/**
 * The place of a call in a trace, as W3C Trace Context has it: the caller says it in the variables TRACEPARENT and
 * TRACESTATE (those of OpenTelemetry; libcni sets them too).
 */
export interface TraceContext {
  /** 32 hex digits */
  readonly traceID: string;
  /** 16 hex digits: the call's own. */
  readonly spanID: string;
  /** Of the span that the caller named; undefined where the trace begins here. */
  readonly parentID: string | undefined;
  /** 2 hex digits */
  readonly flags: string;
  /** TRACESTATE as it came; none where the trace begins here. */
  readonly state: string | undefined;
}

/** Version 0 has no more than these four fields; a later one may, behind another "-" (section 3.2.2). */
const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;

/** Sampled, and that the trace ID is random: what is defined. The others must not be passed on. */
const knownFlags = 0x03;

/** Continues the trace that the environment says, or begins one where it says none, or a malformed one. */
export function openTrace({ TRACEPARENT = '', TRACESTATE }: Environment): TraceContext {
  const [, version = 'ff', traceID = '', parentID = '', flags = '', more] =
    traceparent.exec(TRACEPARENT) ?? [];
  const isValid = version !== 'ff' && !/^0+$/.test(traceID) && !/^0+$/.test(parentID);
  if (!isValid || (version === '00' && more !== undefined)) return newTrace();
  const known = Number.parseInt(flags, 16) & knownFlags;
  return {
    ...{ traceID, spanID: newSpanID(), parentID },
    flags: known.toString(16).padStart(2, '0'),
    state: TRACESTATE || undefined,
  };
}

/** The same trace for another who is called by `parent`. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanID: newSpanID(), parentID: parent.spanID };
}

/** What whoever runs with this context finds in its environment; BAGGAGE is none of this, and goes on as it came. */
export function withTrace(
  environment: Environment,
  { traceID, spanID, flags, state }: TraceContext,
): Environment {
  // Not even an empty one: it belongs to the TRACEPARENT that it came with.
  const { TRACESTATE, ...others } = environment;
  const passedOn = state === undefined ? {} : { TRACESTATE: state };
  return { ...others, TRACEPARENT: `00-${traceID}-${spanID}-${flags}`, ...passedOn };
}

/** Recorded, so sampled. That the ID is random stays unsaid: readers of before Level 2 refuse the flag for it. */
function newTrace(): TraceContext {
  const [traceID, spanID] = [randomHex(16), newSpanID()];
  return { traceID, spanID, parentID: undefined, flags: '01', state: undefined };
}

/** 16 hex digits, at random. */
export function newSpanID(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
