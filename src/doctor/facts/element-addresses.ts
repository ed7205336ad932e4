import { formatIp } from '../../cni/address.ts';
import type { FoundElement } from '../../network/owned-element.ts';

/** The addresses in an element's key and data. */
export function addressesOfElement({ set, element: { key, data } }: FoundElement): string[] {
  const fields = [
    ...set.key.map((type, index) => ({ type, field: key[index] })),
    ...(Array.isArray(set.data) && data !== undefined && !('kind' in data)
      ? set.data.map((type, index) => ({ type, field: data[index] }))
      : []),
  ];
  return fields.flatMap(({ type, field }) =>
    (type === 'ipv4_addr' || type === 'ipv6_addr') && field !== undefined ? [formatIp(field)] : [],
  );
}
