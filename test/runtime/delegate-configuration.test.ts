import { describe, expect, test } from 'bun:test';
import { readConfiguration } from '../../src/cni/configuration.ts';
import { isObject, type JsonObject, parseJson, stringifyJson } from '../../src/cni/json.ts';
import { delegateConfiguration } from '../../src/runtime/delegate-configuration.ts';

function object(text: string): JsonObject {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error(`${text} is not an object`);
  return value;
}

/** What a delegate gets of a document with these keys, as the text it finds on stdin. */
function given(outer: string, delegate: string): string {
  const document = object(`{"cniVersion":"1.0.0","name":"net","type":"debug"${outer && `,${outer}`}}`);
  return stringifyJson(delegateConfiguration(readConfiguration(document, 'ADD'), object(delegate)));
}

test('its own keys come first and as they are, then what the runtime said', () => {
  expect(given('"cniOutput":false', '{"type":"bridge","isGateWay":true}')).toBe(
    '{"type":"bridge","isGateWay":true,"cniVersion":"1.0.0","name":"net"}',
  );
});

test('its own name, version and prevResult are replaced, whatever their spelling', () => {
  expect(given('"prevResult":{"a":1}', '{"Name":"x","CniVersion":"0.1.0","PREVRESULT":{}}')).toBe(
    '{"cniVersion":"1.0.0","name":"net","prevResult":{"a":1}}',
  );
});

test('a configuration without a version is one of the oldest', () => {
  const document = object('{"name":"net"}');
  const configuration = delegateConfiguration(readConfiguration(document, 'ADD'), object('{}'));
  expect(stringifyJson(configuration)).toBe('{"cniVersion":"0.1.0","name":"net"}');
});

test('prevResult keeps its own keys, its digits, and what looks like a prototype', () => {
  const prevResult = '{"__proto__":{"a":1},"Ips":null,"big":9007199254740993,"one":1.0}';
  expect(given(`"PrevResult":${prevResult}`, '{}')).toBe(
    `{"cniVersion":"1.0.0","name":"net","prevResult":${prevResult}}`,
  );
});

test('a prevResult that is null is passed on', () => {
  expect(given('"prevResult":null', '{}')).toEndWith(',"prevResult":null}');
});

test('nothing of the configuration but what the runtime said is passed on', () => {
  const outer = '"ipam":{},"dns":{},"delegateTimeout":"1s","capabilities":{"a":true},"bridge":"x"';
  expect(given(outer, '{}')).toBe('{"cniVersion":"1.0.0","name":"net"}');
});

test('the attachments that GC is told of are passed on, and an empty list stays one', () => {
  const outer = '"cni.dev/valid-attachments":[],"cni.dev/attachments":[{"containerID":"c","ifname":"eth0"}]';
  expect(given(outer, '{}')).toEndWith(`"name":"net",${outer}}`);
  expect(given('', '{}')).not.toContain('cni.dev');
});

test('args are passed on unless the delegate has its own', () => {
  expect(given('"args":{"cni":{"IPs":1}}', '{}')).toEndWith('"args":{"cni":{"IPs":1}}}');
  expect(given('"args":{"cni":1}', '{"Args":{"own":1}}')).toBe(
    '{"Args":{"own":1},"cniVersion":"1.0.0","name":"net"}',
  );
});

describe('runtimeConfig', () => {
  const runtimeConfig = '{"mac":"0a:00:00:00:00:01","portMappings":[{"hostPort":80}],"__proto__":{"a":1}}';
  const cases: [string, string][] = [
    ['{}', runtimeConfig],
    ['{"capabilities":{}}', runtimeConfig],
    ['{"capabilities":{"mac":true}}', '{"mac":"0a:00:00:00:00:01"}'],
    ['{"CAPABILITIES":{"mac":true,"portMappings":false}}', '{"mac":"0a:00:00:00:00:01"}'],
    ['{"capabilities":{"Mac":true,"portMappings":true}}', '{"portMappings":[{"hostPort":80}]}'],
    ['{"capabilities":{"__proto__":true}}', '{"__proto__":{"a":1}}'],
  ];
  test.each(cases)('for a delegate %s it is %s', (delegate, expected) => {
    expect(given(`"runtimeConfig":${runtimeConfig}`, delegate)).toBe(
      `{"cniVersion":"1.0.0","name":"net","runtimeConfig":${expected}}`,
    );
  });

  test.each([
    ['mac is declared false', '{"capabilities":{"mac":false}}'],
    ['another is declared', '{"capabilities":{"ips":true}}'],
    ['its name is inherited by every object', '{"capabilities":{"constructor":true}}'],
  ])('is left out when %s', (_, delegate) => {
    expect(given('"runtimeConfig":{"mac":"x"}', delegate)).toBe('{"cniVersion":"1.0.0","name":"net"}');
  });
});

test('neither document is changed', () => {
  const document = object(
    '{"cniVersion":"1.0.0","name":"net","runtimeConfig":{"a":1,"b":2},"prevResult":{}}',
  );
  const delegate = object('{"name":"x","capabilities":{"a":true}}');
  const before = [document, delegate].map((value) => stringifyJson(value));
  delegateConfiguration(readConfiguration(document, 'ADD'), delegate);
  expect([document, delegate].map((value) => stringifyJson(value))).toEqual(before);
});
