import { describe, expect, test } from 'bun:test';
import { parseConfiguration, readConfiguration } from '../../src/cni/configuration.ts';
import type { Command } from '../../src/cni/environment.ts';
import type { CniError } from '../../src/cni/error.ts';

function read(text: string, command: Command = 'ADD') {
  return readConfiguration(parseConfiguration(Buffer.from(text)), command);
}

function failure(act: () => unknown): Pick<CniError, 'code' | 'message' | 'details'> {
  try {
    act();
  } catch (error) {
    const { code, message, details } = error as CniError;
    return { code, message, details };
  }
  throw new Error('nothing was thrown');
}

test('reads its keys in any spelling, and null as absent', () => {
  const configuration = read(
    '{"CNIVersion":"1.0.0","NAME":"n","type":"debug","prevResult":null,"runtimeConfig":{"a":1}}',
  );
  expect(configuration).toMatchObject({
    cniVersion: '1.0.0',
    name: 'n',
    type: 'debug',
    prevResult: undefined,
  });
  expect(configuration.runtimeConfig).toEqual({ a: 1 } as never);
});

test('no version means 0.1.0', () => {
  expect(read('{"name":"n"}').cniVersion).toBe('0.1.0');
});

describe('refuses', () => {
  test.each([
    ['', 6, 'stdin is empty'],
    ['{', 6, 'is not JSON: expected a string but found the end of the input at line 1, column 2'],
    ['\u0000\u0001\u00ff', 6, 'is not JSON'],
    ['[]', 6, 'is not a JSON object'],
    ['{"name":5}', 7, 'name: 5 is not a string'],
    ['{"cniVersion":1.0,"name":"n"}', 7, 'cniVersion: 1.0 is not a string'],
    ['{"runtimeConfig":[],"name":"n"}', 7, 'runtimeConfig: [] is not an object'],
    ['{}', 7, 'missing network name'],
    ['{"name":"a b"}', 7, 'name: "a b" must begin with a letter or digit'],
    ['{"name":"n","cniVersion":"1.2.0"}', 1, 'incompatible CNI versions'],
    ['{"name":"n","cniVersion":"1.0"}', 1, 'incompatible CNI versions'],
  ])('%j with code %d', (text, code, message) => {
    const error = failure(() => read(text));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test.each([
    ['CHECK', '0.3.1', '0.4.0'],
    ['GC', '1.0.0', '1.1.0'],
    ['STATUS', '1.0.0', '1.1.0'],
  ] as const)('%s at %s', (command, version, since) => {
    const error = failure(() => read(`{"name":"n","cniVersion":"${version}"}`, command));
    expect(error).toMatchObject({ code: 1, message: `config version does not allow ${command}` });
    expect(() => read(`{"name":"n","cniVersion":"${since}"}`, command)).not.toThrow();
  });
});
