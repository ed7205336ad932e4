import { containerIDComplaint, ifNameComplaint } from '../cni/environment.ts';

/** An attachment: one interface of one container. */
export interface Owner {
  readonly containerID: string;
  readonly ifName: string;
}

/** What the file of a lease says, as the reference writes it: no line break at the end. */
export function ownerText({ containerID, ifName }: Owner): string {
  return `${containerID}\r\n${ifName}`;
}

/** What a file of old times says, which belongs to every interface of the container. */
export function legacyOwnerText({ containerID }: Owner): string {
  return containerID;
}

/**
 * Whether no host-local can have meant to write this: a node that lost its power may keep the file and lose its end.
 * A text that was cut so that it names another container or interface is not to be told from a good one.
 */
export function isMalformed(text: string): boolean {
  const [containerID = '', ifName, ...more] = text.split('\r\n');
  if (containerIDComplaint(containerID) !== undefined || more.length > 0) return true;
  if (ifName === undefined) return false;
  return ifName === '' || ifName.includes('\0') || ifNameComplaint(ifName) !== undefined;
}
