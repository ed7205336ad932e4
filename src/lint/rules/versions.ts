import { isObject, type JsonObject } from '../../cni/json.ts';
import { lookUp } from '../../cni/keys.ts';
import { isVersion, supportedVersions } from '../../cni/version.ts';
import { executableUses } from '../executable-use.ts';
import type { LintedFile } from '../linted-file.ts';
import { versionOfFile } from '../linted-file.ts';
import type { Rule } from '../rule.ts';

const every = supportedVersions.join(', ');

export const unknownVersion: Rule = {
  id: 'L010',
  name: 'unknown-version',
  severity: 'error',
  summary: 'A "cniVersion" that is no version of the specification: every plugin refuses it.',
  *check({ files }) {
    for (const file of files) {
      const { one, several } = versionsIn(file);
      const fix = `write one of ${every}`;
      // Of several a runtime takes the highest that it knows.
      if (one !== '' && !isVersion(one) && several.length === 0)
        yield {
          file,
          path: 'cniVersion',
          fix,
          message: `${JSON.stringify(one)} is no version of the specification`,
        };
      if (several.length > 0 && ![one, ...several].some(isVersion))
        yield { file, path: 'cniVersions', fix, message: 'none of these is a version of the specification' };
    }
  },
};

export const noVersion: Rule = {
  id: 'L011',
  name: 'no-version',
  severity: 'info',
  summary: 'There is no "cniVersion", which means 0.1.0: no CHECK, and nothing for DEL to go by.',
  *check({ files }) {
    for (const file of files) {
      const isSaid = ['cniVersion', 'cniVersions'].some((key) => !isEmpty(file.document?.value, key));
      if (file.document === undefined || isSaid) continue;
      yield {
        file,
        path: 'cniVersion',
        message:
          'there is no "cniVersion", which means 0.1.0: such a network has no CHECK, and its DEL no prevResult',
        fix: 'add "cniVersion": "1.0.0", or a lower one if a plugin needs that',
      };
    }
  },
};

export const unsupportedVersion: Rule = {
  id: 'L015',
  name: 'unsupported-version',
  severity: 'error',
  summary: 'A plugin of the chain does not know the version of the network: it refuses every call.',
  *check(context) {
    const uses = executableUses(context);
    for (const { plugin, path, type, found } of uses) {
      const { file } = plugin;
      const { one, several } = versionsIn(file);
      const version = versionOfFile(file);
      if (found.kind !== 'sound' || found.versions.includes(version)) continue;
      if (file.network === undefined && !isVersion(one) && (one !== '' || several.length > 0)) continue;
      const chain = uses.flatMap((use) =>
        use.plugin.file === file && use.found.kind === 'sound' ? [use.found] : [],
      );
      const common = supportedVersions.filter((known) =>
        chain.every(({ versions }) => versions.includes(known)),
      );
      const newest = common.at(-1);
      yield {
        file,
        path,
        message: `"${type}" (${found.path}) does not support ${version}, the version of this network: it has ${found.versions.join(', ')}`,
        fix:
          newest === undefined
            ? `install another version of "${type}": no version is known to all plugins of the chain`
            : `set "cniVersion": "${newest}", the newest that all plugins of the chain have, or install a newer "${type}"`,
      };
    }
  },
};

function versionsIn({ document, isList }: LintedFile): { one: string; several: string[] } {
  const value = document?.value;
  const one = isObject(value) ? lookUp(value, 'cniVersion') : undefined;
  const several = isObject(value) ? lookUp(value, 'cniVersions') : undefined;
  return {
    one: typeof one === 'string' ? one : '',
    // Of a `.conf` libcni reads only the one.
    several: isList && Array.isArray(several) ? several.filter((version) => typeof version === 'string') : [],
  };
}

/** A version of another type is another finding. */
function isEmpty(document: JsonObject | undefined, key: string): boolean {
  const value = document && lookUp(document, key);
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}
