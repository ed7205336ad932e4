import type { ConfigurationValue } from './configuration-value.ts';
import type { JsonObject } from './json.ts';

/** `dns` of a configuration, which becomes that of the result: what no result may have is code 7 here. */
export function dnsValue(value: ConfigurationValue): JsonObject | undefined {
  value.key('domain').text();
  for (const name of ['nameservers', 'search', 'options']) {
    for (const element of value.key(name).elements()) {
      if (element.text() === undefined) throw element.error('');
    }
  }
  return value.object();
}
