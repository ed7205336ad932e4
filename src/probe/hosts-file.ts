import { type Ip, parseIp } from '../cni/address.ts';

/** The addresses that a text in the format of hosts(5) gives a name, in their order. */
export function addressesInHosts(text: string, name: string): Ip[] {
  const wanted = name.replace(/\.$/, '').toLowerCase();
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.some((one) => one.toLowerCase() === wanted) ? (parseIp(address) ?? []) : [];
  });
}
