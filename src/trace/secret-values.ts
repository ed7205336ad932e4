import { placeholder, type Span } from './span.ts';

// Each shape is what stays (first group) and the secret after it (second group). None can be made to try one
// stretch of text from many beginnings: a look-behind or a fixed prefix leaves one beginning for each stretch.
const shapes: readonly RegExp[] = [
  // HTTP authentication, but not in sentences such as "Basic authentication failed".
  /(\b(?:[Bb]earer|BEARER|Basic|BASIC)[ \t]{1,4})(?!(?:auth|authentication|authorization|credentials?|realm|schemes?|tokens?)(?![\w.~+/-]))([\w.~+/=-]+)/g,
  // JSON Web Tokens, signed or encrypted: `{"` in Base64 begins with eyJ.
  /()((?<![\w-])eyJ[\w-]*(?:\.[\w-]*){2,4})/g,
  // Private keys; one that was cut off has no end.
  /(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)([\s\S]*?)(?=-----END|$)/g,
  // The same in Base64, except certificates and public keys; and what begins with `apiVersion`, as a kubeconfig.
  /()((?<![\w+/])(?:LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM)|YXBpVmVyc2lvbj)[\w+/=]*)/g,
  // `https://user:password@host`
  /(:\/\/[^\s/:@"']*:)([^\s/"']+)(?=@)/g,
];

/** Nothing shorter or without one of these can hold any of the shapes. */
const looksShaped = /earer|EARER|asic|ASIC|eyJ|-----BEGIN|LS0tLS1|YXBpVmVy|:\/\//;

/** Secrets that show what they are by themselves, without a name. */
export function findSecretValues(text: string): Span[] {
  if (!looksShaped.test(text)) return [];
  const spans: Span[] = [];
  for (const shape of shapes) {
    for (const { index, 1: kept = '', 2: secret = '' } of text.matchAll(shape)) {
      const start = index + kept.length;
      if (secret !== '') spans.push({ start, end: start + secret.length, replacement: placeholder });
    }
  }
  return spans;
}
