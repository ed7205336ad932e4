import { describe, expect, test } from 'bun:test';
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { builtInPath } from '../program.ts';
import { texts } from './rule-cases.ts';
import { everyVersion, look, plugin, type Site } from './site.ts';

const { list, bridge, hostLocal, portmap } = texts;
const ipam = hostLocal('"subnet": "10.1.0.0/16"');

/** `id path` of every finding above info. */
async function found(site: Site): Promise<string[]> {
  const { findings } = await look(site);
  return findings.filter(({ severity }) => severity !== 'info').map(({ id, path }) => `${id} ${path}`);
}

/** With our own executables of these names in the folder. */
function withOurs(text: string, names: string[], plugins: Site['plugins'] = {}): Site {
  const prepare = (_: string, bin: string) => {
    for (const name of names) symlinkSync(join(builtInPath, name), join(bin, name));
  };
  return { files: { '10-net.conflist': text }, plugins, prepare };
}

describe('what is built in needs no executable', () => {
  test.each<[string, string, string[]]>([
    ['host-local of our bridge', list(bridge(ipam)), ['bridge']],
    [
      'delegates of debug',
      list(
        `{ "type": "debug", "capabilities": { "portMappings": true }, "delegate": [${bridge(ipam)}, ${portmap}] }`,
      ),
      ['debug'],
    ],
    ['host-local of debug as a bridge', list(`{ "type": "debug", "bridge": "cni0", ${ipam} }`), ['debug']],
    [
      'the bridge of our flannel',
      list('{ "type": "flannel", "delegate": { "isDefaultGateway": true } }'),
      ['flannel'],
    ],
    [
      'flannel inside debug, and its bridge',
      list('{ "type": "debug", "delegate": { "type": "flannel", "delegate": {} } }'),
      ['debug'],
    ],
  ])('%s', async (_, text, names) => {
    expect(await found(withOurs(text, names))).toEqual([]);
  });

  test.each<[string, Site, string[]]>([
    [
      'host-local of a bridge of others',
      { files: { '10-net.conflist': list(bridge(ipam)) }, plugins: { bridge: plugin(...everyVersion) } },
      ['L012 plugins[0].ipam.type'],
    ],
    [
      'a debug that is missing, and nothing inside it,',
      withOurs(list(`{ "type": "debug", "bridge": "cni0", ${ipam} }`), []),
      ['L012 plugins[0].type'],
    ],
    [
      'a debug with a delegate, and not the delegate,',
      withOurs(list(`{ "type": "debug", "delegate": ${bridge(ipam)} }`), []),
      ['L012 plugins[0].type'],
    ],
    [
      'a delegate that is to be executed',
      withOurs(list(`{ "type": "debug", "external": true, "delegate": ${bridge()} }`), ['debug']),
      ['L012 plugins[0].delegate.type'],
    ],
    [
      'a delegate that is not built in',
      withOurs(list('{ "type": "debug", "delegate": { "type": "tap" } }'), ['debug']),
      ['L012 plugins[0].delegate.type'],
    ],
  ])('but %s does', async (_, site, missing) => {
    expect(await found(site)).toEqual(missing);
  });
});

test('what only our portmap refuses is no fault where the portmap is another', async () => {
  const text = list(bridge(), portmap.replace('{', '{ "conditionsV4": ["-s", "10.0.0.0/8"],'));
  expect(await found(withOurs(text, ['bridge', 'portmap']))).toEqual(['L009 plugins[1].conditionsV4']);
  const others = { bridge: plugin(...everyVersion), portmap: plugin(...everyVersion) };
  expect(await found({ files: { '10-net.conflist': text }, plugins: others })).toEqual([]);
});

describe('VERSION', () => {
  const answers = (script: string) =>
    found({ files: { '10-net.conflist': list('{ "type": "x" }') }, plugins: { x: script } });

  test.each([
    ['exits with an error', '#!/bin/sh\nexit 3\n'],
    ['prints nothing', '#!/bin/sh\n'],
    ['prints something else', '#!/bin/sh\necho hello\n'],
    ['prints no list', `#!/bin/sh\necho '{"cniVersion":"1.0.0"}'\n`],
    ['prints a list that is none', `#!/bin/sh\necho '{"cniVersion":"1.0.0","supportedVersions":"1.0.0"}'\n`],
    ['has an interpreter that is missing', '#!/nonexistent/sh\n'],
    ['is no program', 'hello'],
  ])('of one that %s', async (_, script) => {
    expect(await answers(script)).toEqual(['L014 plugins[0].type']);
  });

  test('of one that hangs is given up', async () => {
    const started = performance.now();
    expect(await answers('#!/bin/sh\nexec sleep 100\n')).toEqual(['L014 plugins[0].type']);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('of the oldest plugins has no list', async () => {
    const old = `#!/bin/sh\necho '{"cniVersion":"0.2.0"}'\n`;
    expect(await answers(old)).toEqual(['L015 plugins[0].type']);
  });

  test('is asked of every plugin of a chain, and the newest that all have is named', async () => {
    const { findings } = await look({
      files: { '10-net.conflist': list('{ "type": "a" }', `{ "type": "b", ${ipam} }`) },
      plugins: {
        a: plugin('0.3.1', '0.4.0', '1.0.0'),
        b: plugin('0.3.0', '0.3.1', '0.4.0'),
        'host-local': plugin('0.3.1'),
      },
    });
    expect(findings.map(({ id, path }) => `${id} ${path}`)).toEqual([
      'L015 plugins[1].type',
      'L015 plugins[1].ipam.type',
    ]);
    expect(findings[0]!.fix).toContain('set "cniVersion": "0.3.1"');
  });

  test('finds none that all have', async () => {
    const { findings } = await look({
      files: { '10-net.conflist': list('{ "type": "a" }', '{ "type": "b" }') },
      plugins: { a: plugin('0.3.1'), b: plugin('1.0.0') },
    });
    expect(findings[0]!.fix).toContain('no version is known to all');
  });
});

test.each([
  ['a path', '{ "type": "../bin/sh" }'],
  ['a name with a NUL', '{ "type": "a\\u0000b" }'],
  ['a name that every object has', '{ "type": "constructor" }'],
  ['another', '{ "type": "__proto__" }'],
])('the type is %s', async (_, text) => {
  expect(await found({ files: { '10-net.conflist': list(text) }, plugins: {} })).toEqual([
    'L012 plugins[0].type',
  ]);
});

test('a folder that others may write is found once', async () => {
  const site: Site = {
    files: { '10-net.conflist': list('{ "type": "a" }', '{ "type": "b" }') },
    plugins: { a: plugin('1.0.0'), b: plugin('1.0.0') },
    prepare: (_, bin) => chmodSync(bin, 0o777),
  };
  expect(await found(site)).toEqual(['L030 plugins[0].type']);
});
