import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Json, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { redactor } from '../../src/trace/redaction.ts';

const { text } = redactor();

/** Pieces that the scanner looks for, where it could be led astray. */
const piece = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    ':',
    '=',
    ': ',
    '\n',
    '  ',
    ',',
    ';',
    '{',
    '}',
    '[',
    ']',
    "'",
    '-',
    '- ',
    '--',
  ),
  fc.constantFrom(
    'token',
    'password',
    'key',
    'name',
    'Bearer ',
    'true',
    'null',
    '1',
    '//',
    '@',
    'eyJ',
    '.',
    '|',
  ),
  fc.constantFrom(
    '"token":',
    '{"a":"',
    '\\u0022',
    '\\n',
    'Authorization',
    '-----BEGIN PRIVATE KEY-----',
    '&',
  ),
  fc.string({ maxLength: 3 }),
);
const garbage = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const nastyJson = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(garbage, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(garbage, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<Json>,
  ),
})).value;
const indentation = fc.constantFrom('', ' ', '\t', '    ');
const runs = { numRuns: 300 };

describe('for all input', () => {
  test('JSON stays JSON, and says what the redacted document says', () => {
    fc.assert(
      fc.property(nastyJson, indentation, fc.constantFrom('nothing', '.', 'a'), (value, indent, pattern) => {
        const own = redactor([pattern]);
        const raw = JSON.stringify(value, null, indent);
        const redacted = own.text(raw);
        expect(JSON.parse(redacted)).toEqual(JSON.parse(stringifyJson(own.json(parseJson(raw)))));
      }),
      runs,
    );
  });

  test('what has no secret stays byte for byte', () => {
    const key = fc.constantFrom('name', 'mtu', 'ipam', 'monkey', 'é', '');
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true }), fc.boolean()),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value')) as fc.Arbitrary<Json>,
      ),
    }));
    fc.assert(
      fc.property(value, indentation, fc.nat(), (document, indent, cut) => {
        const raw = JSON.stringify(document, null, indent);
        expect(text(raw)).toBe(raw);
        expect(text(raw.slice(0, cut % raw.length))).toBe(raw.slice(0, cut % raw.length));
      }),
      runs,
    );
  });

  const secretValue = fc.oneof(
    fc.stringMatching(/^[0-9]{8,12}$/),
    fc.stringMatching(/^[A-Za-z0-9]{8,20}$/),
    fc.string({ minLength: 8, unit: 'binary' }).map((value) => `${value}S3cret`),
  );
  const secretName = fc.constantFrom(
    'token',
    'dbPassword',
    'X-Auth-Token',
    'client-key-data',
    'to\\u006ben',
    'KEY',
  );

  test('a planted secret survives neither whole, nor cut, nor with one character missing elsewhere', () => {
    fc.assert(
      fc.property(
        nastyJson,
        nastyJson,
        secretName,
        secretValue,
        fc.nat(),
        (before, after, name, value, at) => {
          const head = `{"a":${JSON.stringify(before)},`;
          const planted = JSON.stringify(value);
          const tail = `,"z":${JSON.stringify(after)}}`;
          const secret = planted.slice(1, -1);
          fc.pre(!head.includes(secret) && !tail.includes(secret));
          const raw = `${head}"${name}":${planted}${tail}`;
          expect(text(raw)).not.toContain(secret);
          expect(
            text(raw.slice(0, head.length + name.length + 3 + (at % (planted.length + 20)))),
          ).not.toContain(secret);
          const damagedHead = head.slice(0, at % head.length) + head.slice((at % head.length) + 1);
          expect(text(`${damagedHead}"${name}":${planted}${tail}`)).not.toContain(secret);
          expect(text(`${head}${name}":${planted}${tail}`)).not.toContain(secret);
          expect(text(`${head}"${name}:${planted}${tail}`)).not.toContain(secret);
          expect(text(`${head}"${name}"${planted}${tail}`)).not.toContain(secret);
          expect(text(`${head}"${name}":${planted.slice(1)}${tail}`)).not.toContain(secret);
          expect(text(`${head}"${name}":${planted.slice(0, -1)}${tail}`)).not.toContain(secret);
        },
      ),
      runs,
    );
  });

  test('a secret planted in a line of text does not survive', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/_.-]{8,20}$/).map((value) => `s${value}t`);
    const form = fc.constantFrom<(name: string, value: string) => string>(
      (name, value) => `${name}=${value}`,
      (name, value) => `--${name} ${value}`,
      (name, value) => `${name}="${value}"`,
      (name, value) => `\n${name}: ${value}\n`,
      (_, value) => `Authorization: ${value}`,
      (_, value) => `Bearer ${value}`,
    );
    fc.assert(
      fc.property(fc.lorem(), form, secret, fc.lorem(), (before, write, value, after) => {
        expect(text(`${before} ${write('api-token', value)} ${after}`)).not.toContain(value);
        const inJson = JSON.stringify({ line: `${before} ${write('password', value)} ${after}` });
        expect(text(inJson)).not.toContain(value);
      }),
      runs,
    );
  });

  test('garbage does no harm', () => {
    fc.assert(
      fc.property(garbage, (raw) => {
        expect(text(raw)).toBeString();
      }),
      runs,
    );
  });
});

describe('time', () => {
  const hostile = `" \\ \\" \\\\" a = : [ - - \\n token= "token": "token":" "token":[ {"token": --token_ eyJ eyJ. eyJa.b-
    -----BEGIN_PRIVATE_KEY----- Bearer :// ://a: ://a@ token:_ token:\\n token:|\\n password=, password=a& token=' "token":'
    \\u0061 "\\n a: "a" LS0tLS1 =a aA A . x_ '' {"a":" "a":1, Authorization:`;

  test('grows with the length only, whatever is repeated', () => {
    const slow: string[] = [];
    for (const word of hostile.split(/\s+/)) {
      const unit = word.replaceAll('_', ' ').replaceAll('\\n', '\n');
      for (const head of ['', 'x "', '{"a":"']) {
        const raw = head + unit.repeat(Math.ceil(2 ** 18 / unit.length));
        const start = performance.now();
        text(raw);
        // About 0.1 s; what is quadratic takes minutes.
        if (performance.now() - start > 4000) slow.push(JSON.stringify(head + unit));
      }
    }
    expect(slow).toEqual([]);
  }, 120_000);
});
