import { parseCidr, parseIp, parseMac } from './address.ts';
import { index, integer, list, type Reader, type Readers, struct, text, textThat } from './value-reader.ts';
import { type Generation, generationOf, supportedVersions, type Version } from './version.ts';

// Section 5, "Success", as strict as the reference's Go types: what they cannot parse is malformed, and so is a MAC
// that is none. `net.IP` and `net.HardwareAddr` read an empty text as no address.

const cidr = textThat((value) => parseCidr(value) !== undefined, 'is not a CIDR address');
const ip = textThat((value) => value === '' || parseIp(value) !== undefined, 'is not an IP address');
const mac = textThat((value) => value === '' || parseMac(value) !== undefined, 'is not a MAC address');

/** The keys of 1.1.0 in every version, because Go has one type for all of them. */
const route = struct(
  { dst: cidr, gw: ip, mtu: integer, advmss: integer, priority: integer, table: integer, scope: integer },
  ['dst'],
);
const dns = struct({ nameservers: list(text), domain: text, search: list(text), options: list(text) });
const addressesOfFamily = struct({ ip: cidr, gateway: ip, routes: list(route) }, ['ip']);

const interfaceKeys = { name: text, mac, sandbox: text };
const addressKeys = { address: cidr, gateway: ip, interface: index };

const keysOf: Record<Generation, Readers> = {
  '0.2.0': { ip4: addressesOfFamily, ip6: addressesOfFamily, dns },
  '0.4.0': {
    interfaces: list(struct(interfaceKeys)),
    ips: list(struct({ version: text, ...addressKeys }, ['address'])),
    routes: list(route),
    dns,
  },
  '1.1.0': {
    interfaces: list(struct({ ...interfaceKeys, mtu: integer, socketPath: text, pciID: text })),
    ips: list(struct(addressKeys, ['address'])),
    routes: list(route),
    dns,
  },
};

/** Reads a result of `version`, but for whether the interface that `ips[].interface` points to is there. */
export function resultReader(version: Version): Reader {
  return struct({ cniVersion: namedVersion(version), ...keysOf[generationOf(version)] });
}

/** Any version of the same generation, as `NewResult` of Go's types takes it; empty is as good as absent. */
function namedVersion(version: Version): Reader {
  const fitting = supportedVersions.filter((other) => generationOf(other) === generationOf(version));
  const fits = (named: string) => named === '' || fitting.some((other) => other === named);
  return textThat(fits, `is another version than "${version}", the configuration's`);
}
