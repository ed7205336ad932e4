import {
  anything,
  boolean,
  integer,
  type Keys,
  list,
  map,
  type Schema,
  string,
  struct,
} from './key-schema.ts';

const route = struct({
  dst: string,
  gw: string,
  mtu: integer,
  advmss: integer,
  priority: integer,
  table: integer,
  scope: integer,
});

const range: Keys = { subnet: string, rangeStart: string, rangeEnd: string, gateway: string };

/** By the type of `ipam`. */
const byType: Readonly<Record<string, Keys>> = {
  dhcp: {
    daemonSocketPath: string,
    provide: list(struct({ option: string, value: string, fromArg: string })),
    request: list(struct({ skipDefault: boolean, option: string })),
    priority: integer,
  },
  'host-local': {
    name: string,
    ...range,
    ranges: list(list(struct(range))),
    routes: list(route),
    dataDir: string,
    resolvConf: string,
    // Of ours only: plugins/host-local/README.md.
    lockTimeout: string,
  },
  static: {
    name: string,
    routes: list(route),
    addresses: list(struct({ address: string, gateway: string })),
    dns: struct({ nameservers: list(string), domain: string, search: list(string), options: list(string) }),
  },
};

/** What `ipam` may say; anything at all where its type is not known here. */
export function ipamKeys(type: string): Schema {
  const own = Object.hasOwn(byType, type) ? byType[type] : undefined;
  return own === undefined ? map(anything) : struct({ type: string, ...own });
}
