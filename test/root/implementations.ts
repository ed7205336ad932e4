import { join } from 'node:path';
import { referencePath } from '../program.ts';
import { isExecutable } from '../requirements.ts';

/** A folder of plugins that the black-box tests of `bridge` run. */
export interface Implementation {
  readonly name: 'ours' | 'reference';
  /** Where `bridge` and `host-local` are. */
  readonly folder: string;
  /** The whole PATH of its plugins. */
  readonly path: string;
}

const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** PLUGINS=<folder> runs what is there instead: another build, or the reference, to see which promises it breaks. */
export const ours: Implementation = {
  name: 'ours',
  folder: process.env.PLUGINS ?? join(import.meta.dir, '../../dist/bin'),
  path,
};

export const reference: Implementation = {
  name: 'reference',
  folder: referencePath.find((folder) => isExecutable(`${folder}/bridge`)) ?? '/opt/reference-cni/bin',
  path,
};
