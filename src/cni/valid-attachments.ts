import type { Configuration } from './configuration.ts';
import { ConfigurationValue } from './configuration-value.ts';

/** One interface of one container in a network. */
export interface ValidAttachment {
  readonly containerID: string;
  readonly ifName: string;
}

/**
 * What GC must leave alone (section 2, "GC"): the attachments that the runtime knows of. Undefined when it does not say,
 * and then there is nothing to do; an empty list means that there are none. The specification's key wins over
 * `cni.dev/attachments`, which libcni wrote first and still writes, also where it is `null`. Throws code 7: a list that
 * cannot be read is no reason to remove anything.
 */
export function readValidAttachments({ document }: Configuration): ValidAttachment[] | undefined {
  const root = new ConfigurationValue('', document);
  const named = ['cni.dev/valid-attachments', 'cni.dev/attachments'].map((key) => root.key(key));
  const list = named.find(({ value }) => value !== undefined);
  if (list === undefined || list.isAbsent) return undefined;
  return list.elements().map((entry) => {
    return { containerID: requiredText(entry.key('containerID')), ifName: requiredText(entry.key('ifname')) };
  });
}

function requiredText(value: ConfigurationValue): string {
  const text = value.text() ?? '';
  if (text === '') throw value.error('is empty');
  return text;
}
