import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseConflist } from '../../src/cni/conflist.ts';
import { editConflist, type Place } from '../../src/installation/conflist-edit.ts';

const behindFirst: Place = { kind: 'insert' };
const all: Place = { kind: 'wrap', types: [] };

function edited(text: string, place: Place, type = 'debug'): string {
  return editConflist(text, type, place).text;
}

/** As flanneld's manifest has it, and as the page says that it becomes. */
const flannel = `{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "portmap", "capabilities": { "portMappings": true } } ] }
`;

describe('insert', () => {
  test('the documented chain', () => {
    expect(edited(flannel, behindFirst)).toBe(`{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "debug" },
    { "type": "portmap", "capabilities": { "portMappings": true } } ] }
`);
  });

  test.each([
    ['the last of a list', 'portmap', /"portMappings": true \} \},\n {4}\{ "type": "debug" \} \] \}\n$/],
    ['the first of a list', 'flannel', /\},\n {4}\{ "type": "debug" \},\n {4}\{ "type": "portmap"/],
  ])('behind %s', (_, after, expected) => {
    expect(edited(flannel, { kind: 'insert', after })).toMatch(expected);
  });

  test('under another name', () => {
    expect(edited(flannel, behindFirst, 'my.debug')).toContain('\n    { "type": "my.debug" },\n');
  });

  test.each([
    ['a tab', '\t', '\n'],
    ['four spaces', '    ', '\n'],
    ['two spaces and CRLF', '  ', '\r\n'],
  ])('is laid out as its neighbours: %s', (_, unit, newline) => {
    const write = (plugins: unknown[]) =>
      JSON.stringify({ cniVersion: '1.0.0', name: 'n', plugins }, null, unit).replaceAll('\n', newline);
    const [one, two] = [{ type: 'bridge', ipam: { type: 'x' } }, { type: 'portmap' }];
    expect(edited(write([one, two]), behindFirst)).toBe(write([one, { type: 'debug' }, two]));
    expect(edited(write([one]), behindFirst)).toBe(write([one, { type: 'debug' }]));
    expect(edited(write([one, two]), { kind: 'insert', after: 'portmap' })).toBe(
      write([one, two, { type: 'debug' }]),
    );
  });

  test('in a line of its own nowhere, when all is in one line', () => {
    const write = (plugins: unknown[]) => JSON.stringify({ cniVersion: '1.0.0', name: 'n', plugins });
    const [one, two] = [{ type: 'bridge' }, { type: 'portmap' }];
    expect(edited(write([one, two]), behindFirst)).toBe(write([one, { type: 'debug' }, two]));
    expect(edited(write([one]), behindFirst)).toBe(write([one, { type: 'debug' }]));
  });

  test('brackets on one line', () => {
    const text = '{"name": "n", "plugins": [{\n  "type": "bridge"\n}, {\n  "type": "portmap"\n}]}';
    expect(edited(text, behindFirst)).toBe(
      '{"name": "n", "plugins": [{\n  "type": "bridge"\n}, {\n  "type": "debug"\n}, {\n  "type": "portmap"\n}]}',
    );
  });

  test('a debug that is there is enough', () => {
    const once = edited(flannel, behindFirst);
    expect(editConflist(once, 'debug', behindFirst)).toEqual({ text: once, done: '' });
    expect(editConflist(once, 'debug', { kind: 'insert', after: 'portmap' }).done).not.toBe('');
  });

  test.each([
    [
      'a type that is not there',
      flannel,
      { kind: 'insert', after: 'bridge' } as const,
      '"flannel", "portmap"',
    ],
    ['a .conf', '{"name":"n","type":"bridge"}', behindFirst, '--wrap'],
    ['a list whose plugins lie elsewhere', '{"name":"n"}', behindFirst, '/n/*.conf'],
    ['no JSON', '{', behindFirst, 'not JSON'],
    ['a comment', '{"name":"n",/**/"plugins":[{"type":"x"}]}', behindFirst, 'not JSON'],
    ['no name', '{"plugins":[{"type":"x"}]}', behindFirst, 'name: is missing'],
    ['no type', '{"name":"n","plugins":[{}]}', behindFirst, 'plugins[0].type'],
  ])('%s is an error', (_, text, place, message) => {
    expect(() => editConflist(text, 'debug', place)).toThrow(message);
  });
});

describe('wrap', () => {
  test('capabilities stay where the runtime looks for them, and inside as well', () => {
    const text = edited(flannel, { kind: 'wrap', types: ['portmap'] });
    expect(text).toBe(`{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "debug", "capabilities": { "portMappings": true }, "delegate": { "type": "portmap", "capabilities": { "portMappings": true } } } ] }
`);
  });

  test.each([['\t'], ['    '], ['  ']])('what is moved is indented once more: %j', (unit) => {
    const write = (plugins: unknown[]) => JSON.stringify({ name: 'n', plugins }, null, unit);
    const [one, two] = [
      { type: 'bridge', ipam: { type: 'x', ranges: [[{ subnet: 's' }]] } },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ];
    const around = (delegate: { type: string; capabilities?: unknown }) =>
      delegate.capabilities === undefined
        ? { type: 'debug', delegate }
        : { type: 'debug', capabilities: delegate.capabilities, delegate };
    expect(edited(write([one, two]), all)).toBe(write([around(one), around(two)]));
    expect(edited(write([one, two]), { kind: 'wrap', types: ['portmap'] })).toBe(write([one, around(two)]));
  });

  test('a .conf becomes the delegate; name and version stay outside', () => {
    const text = '{\n\t"cniVersion": "0.4.0",\n\t"name": "mynet",\n\t"type": "flannel"\n}\n';
    expect(edited(text, all)).toBe(
      '{\n\t"cniVersion": "0.4.0",\n\t"name": "mynet",\n\t"type": "debug",\n\t"delegate": {\n\t\t"cniVersion": "0.4.0",\n\t\t"name": "mynet",\n\t\t"type": "flannel"\n\t}\n}\n',
    );
  });

  test('what is wrapped already is not wrapped again', () => {
    const wrapped = edited(flannel, { kind: 'wrap', types: ['portmap'] });
    expect(editConflist(wrapped, 'debug', { kind: 'wrap', types: ['portmap'] }).done).toBe('');
    expect(editConflist(wrapped, 'debug', all).done).toBe('wrapped "flannel" in "debug"');
    const whole = edited(wrapped, all);
    expect(editConflist(whole, 'debug', all)).toEqual({ text: whole, done: '' });
    const single = edited('{"name":"n","type":"bridge"}', all);
    expect(editConflist(single, 'debug', all).done).toBe('');
  });

  test.each([
    ['a type that is not there', flannel, ['portmap', 'bridge'], '"bridge"'],
    ['another type in a .conf', '{"name":"n","type":"bridge"}', ['portmap'], '"portmap"'],
    ['a .conf without a name', '{"type":"loopback"}', [], 'no "name"'],
  ])('%s is an error', (_, text, types, message) => {
    expect(() => editConflist(text, 'debug', { kind: 'wrap', types })).toThrow(message);
  });
});

test('digits, escapes, repeated and unknown keys, and spellings stay as they were written', () => {
  const plugin =
    '{"Type":"x","big":9007199254740993,"one":1.0,"e":1E+2,"s":"\\u0041\\/","__proto__":{"a":1}}';
  const text = `{"NAME":"n","x":1.50,"plugins":[{"type":"y"}],"Plugins":[${plugin},{"type":"z"}]}`;
  expect(edited(text, behindFirst)).toBe(text.replace(`${plugin},`, `${plugin},{"type":"debug"},`));
  expect(edited(text, { kind: 'wrap', types: ['x'] })).toBe(
    text.replace(plugin, `{"type":"debug","delegate":${plugin}}`),
  );
});

test('every conflist of ours can be edited in every way, and is valid then', () => {
  const folder = join(import.meta.dir, '../../conflists');
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8');
    const { plugins, name } = parseConflist(text);
    if (name === '') continue;
    const wrapped = parseConflist(edited(text, all, 'look'));
    expect(wrapped.plugins.map(({ type, delegate }) => [type, delegate])).toEqual(
      plugins.map((plugin) => ['look', plugin] as never),
    );
    for (const { type } of file.endsWith('.conflist') ? plugins : []) {
      const after = String(type);
      const types = parseConflist(edited(text, { kind: 'insert', after }, 'look')).plugins.map(
        ({ type }) => type,
      );
      expect(types.indexOf('look')).toBe(types.indexOf(after) + 1);
    }
  }
});

test('whatever the white space: what is added can be cut out again, and the rest is untouched', () => {
  const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
  const spaces = fc.array(space, { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(spaces, fc.nat(2), ([a, b, c, d, e, f, g, h, i, j, k, l], at) => {
      const plugin = (type: string) => `{${a}"type"${b}:${c}"${type}"${d},${e}"x"${f}:${g}{}${h}}`;
      const names = ['p', 'q', 'r'];
      const list = names.map(plugin).join(`${i},${j}`);
      const text = `${k}{"name":"n","plugins":[${l}${list}${a}]}${b}`;
      const after = names[at] ?? '';
      const inserted = edited(text, { kind: 'insert', after });
      const start = text.indexOf(plugin(after)) + plugin(after).length;
      const length = inserted.length - text.length;
      expect(inserted.slice(0, start) + inserted.slice(start + length)).toBe(text);
      expect(inserted.slice(start, start + length)).toMatch(/^,\s*\{\s*"type"\s*:\s*"debug"\s*\}$/);
      const wrapped = parseConflist(edited(text, { kind: 'wrap', types: [after] }));
      expect(wrapped.plugins[at]).toMatchObject({ type: 'debug', delegate: { type: after, x: {} } });
    }),
  );
});
