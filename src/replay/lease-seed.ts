import { mkdirSync, writeFileSync } from 'node:fs';
import { formatIp, type Ip, parseCidr } from '../cni/address.ts';
import type { JsonObject } from '../cni/json.ts';
import { lookUp } from '../cni/keys.ts';
import { addressesOf } from '../cni/result.ts';
import { defaultDataDir } from '../ipam/host-local-settings.ts';
import { hostLocalIn } from './named-in-configuration.ts';

/**
 * Lets host-local begin its search where it found the addresses of the recorded result: in the empty lease directories of
 * a scratch node it would begin with the first of the pool, and every address would differ. Throws what node:fs does.
 */
export function seedLeases(document: JsonObject, result: JsonObject | undefined): void {
  const addresses = addressesOf(result).flatMap((address) => parseCidr(address) ?? []);
  const named = hostLocalIn(document).map((ipam) => lookUp(ipam, 'dataDir'));
  const dataDirs = named.filter((dataDir) => typeof dataDir === 'string' && dataDir !== '');
  // The default one, too: flannel's configuration does not have the `ipam` that it makes.
  for (const dataDir of new Set([defaultDataDir, ...dataDirs])) {
    const folder = `${dataDir}/${lookUp(document, 'name')}`;
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    addresses.forEach(({ ip }, set) => {
      writeFileSync(`${folder}/last_reserved_ip.${set}`, formatIp(before(ip)), { mode: 0o600 });
    });
  }
}

function before(ip: Ip): Ip {
  const bytes = Uint8Array.from(ip);
  for (let index = bytes.length - 1; index >= 0; index -= 1) {
    const byte = bytes[index] ?? 0;
    bytes[index] = (byte + 255) % 256;
    if (byte !== 0) break;
  }
  return bytes;
}
