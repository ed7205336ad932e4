/** Every version of the specification, oldest first. */
export const supportedVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type Version = (typeof supportedVersions)[number];

/** The version that what has no result or configuration is written in. */
export const latestVersion = '1.1.0' satisfies Version;

export function isVersion(text: unknown): text is Version {
  return (supportedVersions as readonly unknown[]).includes(text);
}

export function isAtLeast(version: Version, least: Version): boolean {
  return supportedVersions.indexOf(version) >= supportedVersions.indexOf(least);
}

/** The versions whose results have one shape, oldest first, each named after its last. */
export const generations = ['0.2.0', '0.4.0', '1.1.0'] as const satisfies Version[];

export type Generation = (typeof generations)[number];

export function generationOf(version: Version): Generation {
  if (isAtLeast(version, '1.0.0')) return '1.1.0';
  return isAtLeast(version, '0.3.0') ? '0.4.0' : '0.2.0';
}
