/** Whom an operation tells what it does; the surroundings of a built-in plugin are one. */
export interface Observer {
  /** Runs a part of the call and times it. */
  readonly step: <T>(name: string, operation: () => T) => T;
  /** Something that is wrong but does not stop the call: a stable rule, what it is about, and the sentence. */
  readonly warn: (rule: string, object: string, message: string) => void;
}
