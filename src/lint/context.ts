import type { JsonObject } from '../cni/json.ts';
import type { Problem } from '../cni/problem.ts';
import type { Version } from '../cni/version.ts';
import type { HostNetwork } from './host-network.ts';
import type { LintedFile } from './linted-file.ts';
import { type LintedPlugin, pluginsOf } from './linted-plugin.ts';
import type { FoundPlugin } from './plugin-survey.ts';

/** What a plugin of that type finds wrong with its configuration: what its own reader says. Throws nothing. */
export type ConfigurationReader = (document: JsonObject, version: Version) => readonly Problem[];

/** By plugin type, those of `ipam` among them. */
export type ReadersByType = Readonly<Record<string, ConfigurationReader>>;

/** What besides the files is looked at: the machine that they lie on. */
export interface Machine {
  /** Folders with `:` between them. */
  readonly pluginPath: string;
  /** By type, of every plugin that the files name. */
  readonly plugins: ReadonlyMap<string, FoundPlugin>;
  /** Undefined where it could not be looked at. */
  readonly host: HostNetwork | undefined;
}

/** What rules look at. */
export class LintContext {
  /** Of all files, in order. */
  readonly plugins: readonly LintedPlugin[];

  constructor(
    /** Those that a runtime loads, in its order; of a single file only that one. */
    readonly files: readonly LintedFile[],
    readonly readers: ReadersByType,
    /** Undefined when a single file is looked at. */
    readonly directory?: LintedDirectory,
    /** Undefined when only the files are looked at. */
    readonly machine?: Machine,
  ) {
    this.plugins = files.flatMap(pluginsOf);
  }
}

/** Where the files lie. */
export interface LintedDirectory {
  readonly path: string;
  /** All that else is in it, by name. */
  readonly others: readonly OtherEntry[];
}

/** What no runtime loads. */
export interface OtherEntry {
  readonly name: string;
  readonly path: string;
  readonly isDirectory: boolean;
}
