import { utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseIp } from '../../cni/address.ts';
import { type Owner, ownerText } from '../../ipam/lease-owner.ts';
import { withSystemError } from '../../kernel/system-error.ts';
import type { Mend } from '../mend.ts';
import type { Survey } from '../survey.ts';
import { type LeaseFile, mendLeaseFile } from './lease-file.ts';

/** Removes a lease of zero bytes, when nobody has the address: with the lock held nobody is about to write into it. */
export function removeEmptyLease(lease: LeaseFile): Mend {
  const { address, network } = lease;
  const ip = parseIp(address);
  return mendLeaseFile(lease, `- lease ${address} of nobody in network ${network}`, (look, leases) => {
    if (ip === undefined || leases.read(ip) !== '') return notEmpty;
    const reason = look.reasonToKeep({}, [address]);
    if (reason === undefined) leases.remove({ ip, owner: '' });
    return reason;
  });
}

/** Writes down whose the address is, of a container that lives: else the next ADD gives it to another one. */
export function refillLease(lease: LeaseFile, owner: Owner): Mend {
  const { network, address, path } = lease;
  const ip = parseIp(address);
  const whose = `${owner.containerID} ${owner.ifName}`;
  return mendLeaseFile(lease, `+ lease ${address} of ${whose} in network ${network}`, (look, leases) => {
    const text = ip && leases.read(ip);
    if (text === ownerText(owner)) return undefined;
    if (text !== '') return notEmpty;
    if (ownerOf(lease, look.survey)?.containerID !== owner.containerID)
      return 'it cannot be told any more whose the address is';
    refill(path, ownerText(owner));
    return undefined;
  });
}

const notEmpty = 'it is not empty any more';

/** The one attachment that lives and says that it has the address. */
export function ownerOf({ network, address }: LeaseFile, survey: Survey): Owner | undefined {
  const owners = survey
    .living()
    .filter((one) => one.network === network)
    .filter(({ addresses }) => addresses.some((one) => one.split('/')[0] === address));
  return owners.length === 1 ? owners[0] : undefined;
}

function refill(path: string, text: string): void {
  withSystemError('write', path, () => writeFileSync(path, text, { flag: 'r+' }));
  // What is known of the directory elsewhere is not of this content: see `directory-stamp.ts`.
  withSystemError('utimes', dirname(path), () => utimesSync(dirname(path), new Date(), new Date()));
}
