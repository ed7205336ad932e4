import { type JsonObject, newObject } from '../../src/cni/json.ts';
import { latestVersion } from '../../src/cni/version.ts';

/** `lo` with the first of its addresses of each family, as the reference answers it. */
export function resultOf(sandbox: string, addresses: readonly string[]): JsonObject {
  const first = [
    addresses.find((address) => !address.includes(':')),
    addresses.find((address) => address.includes(':')),
  ];
  const ips = first.flatMap((address) =>
    address === undefined
      ? []
      : newObject([
          ['address', address],
          ['interface', 0],
        ]),
  );
  const lo = newObject(Object.entries({ name: 'lo', mac: '00:00:00:00:00:00', sandbox }));
  const result = newObject([
    ['cniVersion', latestVersion],
    ['interfaces', [lo]],
  ]);
  if (ips.length > 0) result.ips = ips;
  return result;
}
