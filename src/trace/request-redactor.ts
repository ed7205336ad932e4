import { parseArgs } from '../cni/args.ts';
import { newObject } from '../cni/json.ts';
import type { Request } from '../cni/plugin.ts';
import { KnownSecrets } from './known-secrets.ts';
import { type Redactor, redactor } from './redaction.ts';

/**
 * A redactor for all that a call says: what its own environment, arguments and configuration have under the name of a
 * secret is taken out of every text, too, for a plugin may repeat it where nothing tells what it is.
 */
export function requestRedactor(
  request: Pick<Request, 'environment' | 'document'>,
  patterns: readonly string[],
): Redactor {
  const base = redactor(patterns);
  let secrets: KnownSecrets | undefined;
  const text = (raw: string): string => {
    if (raw === '') return raw;
    secrets ??= secretsOf(request, base);
    return secrets.redact(base.text(raw));
  };
  return { ...base, text };
}

function secretsOf(
  { environment, document }: Pick<Request, 'environment' | 'document'>,
  base: Redactor,
): KnownSecrets {
  const secrets = new KnownSecrets(isTelling);
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  secrets.learn(newObject(variables), base);
  secrets.learn(newObject([...parseArgs(environment.CNI_ARGS ?? '').values]), base);
  if (document !== undefined) secrets.learn(document, base);
  return secrets;
}

/** A record must stay readable: a word may stand there for itself. */
function isTelling(text: string): boolean {
  return text.length >= 8 && /[^a-z]/.test(text);
}
