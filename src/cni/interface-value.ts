import { parseMac } from './address.ts';
import { parseArgs } from './args.ts';
import type { ConfigurationValue } from './configuration-value.ts';
import { ifNameComplaint } from './environment.ts';
import { CniError, ErrorCode } from './error.ts';
import { integerOf } from './json.ts';

/** The name of a link. Throws code 7. */
export function linkName(value: ConfigurationValue): string | undefined {
  const name = value.text();
  if (name === undefined) return undefined;
  const complaint = name === '' ? 'is no name of an interface' : ifNameComplaint(name);
  if (complaint !== undefined) throw value.error(complaint);
  return name;
}

/** A whole number with bounds, both of them included. Throws code 7; `what` ends its sentence before the bounds. */
export function between(
  value: ConfigurationValue,
  least: number,
  most: number,
  what = 'is out of range',
): number | undefined {
  const written = value.integer();
  if (written === undefined) return undefined;
  const number = integerOf(written);
  if (number !== undefined && number >= least && number <= most) return number;
  throw value.error(`${what} (must be between ${least} and ${most})`);
}

/** A MAC of Ethernet: six bytes. An empty text is none. Throws code 7. */
export function ethernetMac(value: ConfigurationValue): string | undefined {
  const text = value.text() ?? '';
  const parsed = ethernetAddress(text);
  if (parsed === undefined && text !== '') throw value.error('is not a MAC address');
  return parsed;
}

/** `MAC` of CNI_ARGS. Throws code 4. */
export function macOfArgs(args: string): string | undefined {
  const text = parseArgs(args).values.get('MAC') ?? '';
  const parsed = ethernetAddress(text);
  if (parsed !== undefined || text === '') return parsed;
  throw new CniError(
    ErrorCode.invalidEnvironment,
    `CNI_ARGS: MAC ${JSON.stringify(text)} is not a MAC address`,
  );
}

function ethernetAddress(text: string): string | undefined {
  const parsed = parseMac(text);
  return parsed?.length === 17 ? parsed : undefined;
}
