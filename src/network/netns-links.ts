import { lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObject, newObject } from '../cni/json.ts';
import type { ValidAttachment } from '../cni/valid-attachments.ts';
import { withSystemError } from '../kernel/system-error.ts';
import type { Attachment } from './attachment.ts';
import { StateFolder } from './state-folder.ts';

/** Where `ip netns` looks (NETNS_RUN_DIR of iproute2). */
const linkFolder = '/var/run/netns';

/**
 * Links by which `ip netns` finds the namespaces of containers: `/var/run/netns/<container ID>`. A link and not a mount,
 * which would keep a namespace alive whose container is gone. Nothing here fails: what goes wrong is said.
 */
export class NetnsLinks {
  /** Which links are ours, and who of a container's attachments wants them: a link cannot say so. */
  readonly #folder: StateFolder;

  constructor(
    stateFolder: string,
    private readonly warn: (rule: string, object: string, message: string) => void,
  ) {
    this.#folder = new StateFolder(stateFolder, warn);
  }

  /** What is there already is not replaced, unless it is a link of ours to a namespace of before. */
  set(attachment: Attachment, netns: string): Promise<void> {
    const { containerID } = attachment;
    const path = linkPath(containerID);
    const target = resolve(netns);
    return this.#saying(path, async (folder) => {
      withSystemError('stat', netns, () => statSync(netns));
      // By such a link `ip netns exec` would find its own namespace, which is the node's.
      if (/^\/(proc\/(self|thread-self)|dev\/fd)\//.test(target))
        throw new Error(`${target} is something else to each process`);
      await folder.locked(() => {
        const claim = readClaim(folder, containerID);
        const isSame = leadsTo(path, netns);
        if (claim !== undefined && isLinkTo(path, claim.target)) {
          if (isSame) {
            writeClaim(folder, containerID, withOwner(claim, attachment));
            return;
          }
          withSystemError('unlink', path, () => unlinkSync(path));
        } else if (isSame) {
          return;
        } else if (isThere(path)) {
          throw new Error('something else is there, and stays');
        }
        // Before the link: that of a call which is killed is known then.
        const owners = claim?.target === target ? claim.owners : [];
        writeClaim(folder, containerID, withOwner({ target, owners }, attachment));
        withSystemError('mkdir', linkFolder, () => mkdirSync(linkFolder, { recursive: true, mode: 0o755 }));
        withSystemError('symlink', path, () => symlinkSync(target, path));
      });
    });
  }

  /** With the last of the container's attachments that wanted it. What is not ours stays. */
  remove(attachment: Attachment): Promise<void> {
    const { containerID } = attachment;
    return this.#saying(linkPath(containerID), async (folder) => {
      if (readClaim(folder, containerID) === undefined) return;
      await folder.locked(() => release(folder, containerID, (owner) => isOwner(owner, attachment)));
    });
  }

  /** Those that only attachments of this network wanted which are not among `valid`. */
  collect(network: string, valid: readonly ValidAttachment[]): Promise<void> {
    return this.#saying(linkFolder, (folder) =>
      folder.locked(() => {
        for (const containerID of folder.names()) {
          const isValid = ({ ifName }: Owner) =>
            valid.some((one) => one.containerID === containerID && one.ifName === ifName);
          release(folder, containerID, (owner) => owner.network === network && !isValid(owner));
        }
      }),
    );
  }

  async #saying(path: string, run: (folder: StateFolder) => Promise<void>): Promise<void> {
    try {
      await run(this.#folder);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.warn('netns-link', path, `linkNetns: ${path}: ${message}`);
    }
  }
}

type Owner = Pick<Attachment, 'network' | 'ifName'>;

/** What is known of the link of a container. */
interface Claim {
  /** What it says: CNI_NETNS as it was at the first ADD. */
  readonly target: string;
  readonly owners: readonly Owner[];
}

const linkPath = (containerID: string): string => `${linkFolder}/${containerID}`;

function release(folder: StateFolder, containerID: string, isLeaving: (owner: Owner) => boolean): void {
  const claim = readClaim(folder, containerID);
  if (claim === undefined || !claim.owners.some(isLeaving)) return;
  const owners = claim.owners.filter((owner) => !isLeaving(owner));
  if (owners.length > 0) {
    writeClaim(folder, containerID, { ...claim, owners });
    return;
  }
  const path = linkPath(containerID);
  if (isLinkTo(path, claim.target)) withSystemError('unlink', path, () => unlinkSync(path));
  folder.remove(containerID);
}

function readClaim(folder: StateFolder, containerID: string): Claim | undefined {
  const document = folder.read(containerID);
  if (!isObject(document) || typeof document.target !== 'string' || !Array.isArray(document.owners))
    return undefined;
  const owners = document.owners.flatMap((owner) =>
    isObject(owner) ? { network: String(owner.network), ifName: String(owner.ifName) } : [],
  );
  return { target: document.target, owners };
}

function writeClaim(folder: StateFolder, containerID: string, { target, owners }: Claim): void {
  const named = owners.map(({ network, ifName }) => newObject(Object.entries({ network, ifName })));
  folder.write(
    containerID,
    newObject([
      ['target', target],
      ['owners', named],
    ]),
  );
}

function withOwner(claim: Claim, attachment: Attachment): Claim {
  return { ...claim, owners: [...claim.owners.filter((owner) => !isOwner(owner, attachment)), attachment] };
}

function isOwner({ network, ifName }: Owner, attachment: Attachment): boolean {
  return network === attachment.network && ifName === attachment.ifName;
}

/** Whether both paths are one namespace now, whatever links lie between. */
function leadsTo(path: string, netns: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  const wanted = statSync(netns);
  return found !== undefined && found.dev === wanted.dev && found.ino === wanted.ino;
}

/** Also when it leads nowhere any more. */
function isLinkTo(path: string, target: string): boolean {
  return isThere(path) && lstatSync(path).isSymbolicLink() && readlinkSync(path) === target;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
