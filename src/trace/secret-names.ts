export type IsSecretName = (name: string) => boolean;

/** Quick: most names have none of these letters in them, and no word of such a name needs a look. */
const looksSecret = /auth|bearer|cookie|cred|jwt|key|otp|pass|psk|pwd|secret|token/i;

/** `APIKey` is `API` and `Key`, `db_password2` is `db` and `password`. */
const word = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;

/**
 * A word that makes the name a secret's. `key` has to be the whole word, for the sake of `monkey` and `keyboard`;
 * names that are written together (`apikey`) are listed.
 */
const secretWord = new RegExp(
  [
    '^(?:auth|authentication|authorization|bearer|cookies?|creds?|jwt|keys?|oauth|otp|passcode|psk|pwd)$',
    'passw(?:or)?d',
    'passphrase',
    '(?:credential|secret|token)s?$',
    '(?:access|account|api|auth|client|encryption|host|master|priv|private|secret|shared|signing|ssh|tls)keys?$',
  ].join('|'),
);

/** What is said *about* a secret and is none: `tokenFile`, `secretName`, `SSH_AUTH_SOCK`, `keySize`. */
const describingWord =
  /^(?:algorithm|count|dir|directory|endpoint|expiry|file|files|filename|folder|format|length|method|mode|name|names|path|paths|ref|refs|size|sock|socket|timeout|ttl|type|uri|url|version)$/;

/**
 * Tells names of secrets from others: `token`, `DB_PASSWORD`, `client-key-data`, and whatever one of the regular
 * expressions `patterns` finds in a name, in upper or lower case. Patterns that are invalid find nothing: the schema
 * refuses them, and the record of that refusal must be redacted, too.
 */
export function secretNames(patterns: readonly string[]): IsSecretName {
  const compiled = patterns.flatMap((pattern) => compile(pattern) ?? []);
  return (name) => {
    const spellings = spellingsOf(name);
    return spellings.some(
      (spelling) => isBuiltIn(spelling) || compiled.some((found) => found.test(spelling)),
    );
  };
}

/** Values that are no secrets, whatever their name: flags, nothing, and the head of a YAML block. */
export function isHarmless(value: string): boolean {
  return /^(?:true|false|null|nil|~|[|>][-+0-9]*)?$/.test(value);
}

/** Why `pattern` cannot be used as a name pattern; undefined when it can. */
export function invalidPattern(pattern: string): string | undefined {
  if (pattern === '') return 'is empty, and would match every name';
  try {
    new RegExp(pattern, 'i');
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `is no regular expression: ${message.slice(message.lastIndexOf(': ') + 1).trim()}`;
  }
}

function compile(pattern: string): RegExp | undefined {
  return invalidPattern(pattern) === undefined ? new RegExp(pattern, 'i') : undefined;
}

function isBuiltIn(name: string): boolean {
  // Of a shell: the folder it works in.
  if (!looksSecret.test(name) || name === 'PWD' || name === 'OLDPWD') return false;
  const words = (name.match(word) ?? []).map((part) => part.toLowerCase());
  const last = words.at(-1) ?? '';
  if (describingWord.test(last)) return false;
  if (last === 'pass') return true;
  const secret = words.filter((part) => secretWord.test(part));
  if (words.includes('public') || words.includes('pub')) return secret.some((part) => !/keys?$/.test(part));
  // Together once more, because Go reads `passWord` and `toKen` as `password` and `token`.
  return secret.length > 0 || secretWord.test(words.join(''));
}

/**
 * The name, and what else it may stand for: Go takes U+017F for `s` and U+212A for `k`, and raw input that is kept
 * byte for byte is read as Latin-1, where the UTF-8 of `clé` is `clÃ©`.
 */
function spellingsOf(name: string): string[] {
  if (!/[\u0080-\uffff]/.test(name)) return [name];
  const utf8 = /[\u0100-\uffff]/.test(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
  return [name, utf8, utf8.replaceAll('\u017f', 's').replaceAll('\u212a', 'k')];
}
