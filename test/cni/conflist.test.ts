import { describe, expect, test } from 'bun:test';
import { parseConflist, pluginConfiguration } from '../../src/cni/conflist.ts';
import { CniError } from '../../src/cni/error.ts';
import { type JsonObject, parseJson, stringifyJson } from '../../src/cni/json.ts';

function told(source: string): string {
  try {
    parseConflist(source);
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(CniError);
    return `${(error as CniError).code}: ${(error as CniError).message}`;
  }
}

describe('parseConflist', () => {
  test('a list', () => {
    const source =
      '{"cniVersion":"1.0.0","name":"net","plugins":[{"type":"a","x":1.0},{"Type":"b"}],"own":1}';
    const list = parseConflist(source);
    expect(list).toMatchObject({ name: 'net', cniVersion: '1.0.0', disableCheck: false, disableGC: false });
    expect(list.plugins.map((plugin) => stringifyJson(plugin))).toEqual([
      '{"type":"a","x":1.0}',
      '{"Type":"b"}',
    ]);
    expect(stringifyJson(list.document)).toBe(source);
  });

  test('a conf is a list of one', () => {
    const list = parseConflist('{"cniVersion":"0.3.1","name":"net","type":"bridge"}');
    expect(list).toMatchObject({ name: 'net', cniVersion: '0.3.1', loadOnlyInlinedPlugins: true });
    expect(stringifyJson(list.document)).toBe(
      '{"name":"net","cniVersion":"0.3.1","plugins":[{"cniVersion":"0.3.1","name":"net","type":"bridge"}]}',
    );
    expect(parseConflist('{"type":"loopback"}')).toMatchObject({ name: '', cniVersion: '0.1.0' });
  });

  test('a list without plugins waits for those of its folder', () => {
    expect(parseConflist('{"name":"net"}').plugins).toEqual([]);
  });

  test.each([
    ['"cniVersion":"0.4.0"', '0.4.0'],
    ['"x":1', '0.1.0'],
    ['"cniVersion":""', '0.1.0'],
    ['"cniVersions":["0.4.0","1.0.0","0.3.1"]', '1.0.0'],
    ['"cniVersion":"1.0.0","cniVersions":["0.4.0"]', '1.0.0'],
    ['"cniVersion":"0.4.0","cniVersions":["2.0.0","1.1.0","1.10.0"]', '1.1.0'],
    ['"cniVersions":["2.0.0"]', '0.1.0'],
    ['"cniVersion":"0.3.1","cniVersions":[]', '0.3.1'],
  ])('the version of %s is %s', (keys, version) => {
    expect(parseConflist(`{"name":"net",${keys},"plugins":[{"type":"a"}]}`).cniVersion).toBe(
      version as never,
    );
  });

  test.each([
    ['true', true],
    ['false', false],
    ['"true"', true],
    ['"FALSE"', false],
    ['null', false],
  ])('disableCheck %s', (value, read) => {
    const list = parseConflist(`{"name":"net","disableCheck":${value},"plugins":[{"type":"a"}]}`);
    expect(list.disableCheck).toBe(read);
  });

  const versions = '0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0';
  test.each([
    [
      '{"name":',
      '6: the network configuration is not JSON: unexpected the end of the input at line 1, column 9',
    ],
    ['[]', '6: the network configuration is not a JSON object'],
    ['{"plugins":[{"type":"a"}]}', '7: name: is missing'],
    ['{"name":"a/b","plugins":[{"type":"a"}]}', '7: name: "a/b" is not a network name'],
    ['{"name":3,"plugins":[{"type":"a"}]}', '7: name: 3 is not a string'],
    ['{"name":"net","plugins":[]}', '7: plugins: [] has no plugin in it'],
    ['{"name":"net","plugins":{}}', '7: plugins: {} is not an array'],
    [
      '{"name":"net","plugins":[{"type":"a"},{},7]}',
      '7: plugins[1].type: is missing; plugins[2]: 7 is not an object',
    ],
    ['{"name":"net","type":""}', '7: type: "" is no plugin type'],
    [
      '{"name":"net","plugins":[{"type":"a","capabilities":{"mac":"yes"}}]}',
      '7: plugins[0].capabilities.mac: "yes" is not a boolean',
    ],
    ['{"name":"net","disableGC":1,"plugins":[{"type":"a"}]}', '7: disableGC: 1 is neither true nor false'],
    [
      '{"name":"net","loadOnlyInlinedPlugins":"true"}',
      '7: plugins: is missing, and loadOnlyInlinedPlugins forbids to take them from elsewhere',
    ],
    ['{"name":"net","cniVersion":"one","plugins":[{"type":"a"}]}', '7: cniVersion: "one" is not a version'],
    [
      '{"name":"net","cniVersions":["1.0.0","v1"],"type":"a","plugins":[{"type":"a"}]}',
      '7: cniVersions[1]: "v1" is not a version',
    ],
    [
      '{"name":"net","cniVersion":"2.0.0","plugins":[{"type":"a"}]}',
      `1: cniVersion: "2.0.0" is none of ${versions}`,
    ],
    [
      '{"name":"net","cniVersions":["0.5.0"],"plugins":[{"type":"a"}]}',
      `1: cniVersions[0]: "0.5.0" is none of ${versions}`,
    ],
  ])('%s', (source, error) => {
    expect(told(source)).toBe(error);
  });
});

describe('pluginConfiguration', () => {
  const object = (text: string) => parseJson(text) as JsonObject;
  const list = parseConflist('{"cniVersion":"1.1.0","name":"net","plugins":[{"type":"a"}]}');
  const capabilityArgs = object('{"mac":"m","portMappings":[],"__proto__":1}');

  test.each([
    ['{"type":"a"}', {}, '{"type":"a","cniVersion":"1.1.0","name":"net"}'],
    ['{"Name":"x","CNIVersion":"0.1.0","type":"a"}', {}, '{"type":"a","cniVersion":"1.1.0","name":"net"}'],
    [
      '{"type":"a","prevResult":{"old":1}}',
      {},
      '{"type":"a","prevResult":{"old":1},"cniVersion":"1.1.0","name":"net"}',
    ],
    [
      '{"type":"a","PrevResult":{"old":1}}',
      { prevResult: object('{"ips":[]}') },
      '{"type":"a","cniVersion":"1.1.0","name":"net","prevResult":{"ips":[]}}',
    ],
    ['{"type":"a"}', { capabilityArgs }, '{"type":"a","cniVersion":"1.1.0","name":"net"}'],
    [
      '{"type":"a","capabilities":{"mac":false}}',
      { capabilityArgs },
      '{"type":"a","capabilities":{"mac":false},"cniVersion":"1.1.0","name":"net"}',
    ],
    [
      '{"type":"a","Capabilities":{"portMappings":true,"MAC":true,"other":true},"runtimeConfig":{"x":1}}',
      { capabilityArgs },
      '{"type":"a","Capabilities":{"portMappings":true,"MAC":true,"other":true},"cniVersion":"1.1.0","name":"net","runtimeConfig":{"portMappings":[]}}',
    ],
    [
      '{"type":"a"}',
      { validAttachments: [{ containerID: 'c', ifName: 'eth0' }] },
      '{"type":"a","cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}],"cni.dev/attachments":[{"containerID":"c","ifname":"eth0"}]}',
    ],
    [
      '{"type":"a"}',
      { validAttachments: [] },
      '{"type":"a","cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":[],"cni.dev/attachments":[]}',
    ],
  ])('%s with %j', (plugin, injected, configuration) => {
    expect(stringifyJson(pluginConfiguration(list, object(plugin), injected))).toBe(configuration);
  });

  test('the plugin itself is left as it is', () => {
    const plugin = object('{"type":"a","name":"own"}');
    pluginConfiguration(list, plugin, { prevResult: object('{}') });
    expect(stringifyJson(plugin)).toBe('{"type":"a","name":"own"}');
  });
});
