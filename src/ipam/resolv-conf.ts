import { readFileSync } from 'node:fs';
import { type JsonObject, newObject } from '../cni/json.ts';
import { withSystemError } from '../kernel/system-error.ts';

/**
 * The `dns` of a result as a file in the format of resolv.conf(5) has it. The last `domain` counts, and `search` and
 * `options` add up over their lines, as in the reference. Throws SystemError.
 */
export function readResolvConf(path: string): JsonObject {
  return parseResolvConf(withSystemError('open', path, () => readFileSync(path, 'utf8')));
}

/** The same of its text. */
export function parseResolvConf(text: string): JsonObject {
  const nameservers: string[] = [];
  const search: string[] = [];
  const options: string[] = [];
  const dns = newObject();
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = line.trim().split(/\s+/);
    const [first] = words;
    if (first === undefined || /^[#;]/.test(keyword)) continue;
    if (keyword === 'nameserver') nameservers.push(first);
    else if (keyword === 'domain') dns.domain = first;
    else if (keyword === 'search') search.push(...words);
    else if (keyword === 'options') options.push(...words);
  }
  for (const [name, list] of Object.entries({ nameservers, search, options })) {
    if (list.length > 0) dns[name] = list;
  }
  return dns;
}
