import type { Attributes } from './attribute.ts';

/** enum macvlan_mode of include/uapi/linux/if_link.h; there is a fifth, `source`, which nobody makes here. */
export const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;

export type MacvlanMode = keyof typeof MACVLAN_MODES;

/** Decodes IFLA_INFO_DATA of a macvlan; a mode without a name here is its number. */
export function decodeMacvlanMode(data: Attributes | undefined): string | undefined {
  const mode = data?.u32(IFLA_MACVLAN_MODE);
  const [name] = Object.entries(MACVLAN_MODES).find(([, number]) => number === mode) ?? [];
  return name ?? mode?.toString();
}

/** include/uapi/linux/if_link.h */
export const IFLA_MACVLAN_MODE = 1;
export const IFLA_MACVLAN_BC_QUEUE_LEN = 7;
