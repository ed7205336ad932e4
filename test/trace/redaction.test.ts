import { describe, expect, test } from 'bun:test';
import { parseJson, stringifyJson } from '../../src/cni/json.ts';
import { redactor } from '../../src/trace/redaction.ts';

const { text, json, environment, cniArgs } = redactor();

function redacts(raw: string, redacted: string): void {
  expect(text(raw)).toBe(redacted);
  expect(text(redacted)).toBe(redacted);
}

describe('text: values of secret names in JSON', () => {
  test.each([
    ['{"token":"abc"}', '{"token":"[redacted]"}'],
    ['{ "Token" :\t"abc" , "mtu":1.0 }', '{ "Token" :\t"[redacted]" , "mtu":1.0 }'],
    ['{"to\\u006ben":"abc"}', '{"to\\u006ben":"[redacted]"}'],
    ['{"token":"a\\"b\\\\"}', '{"token":"[redacted]"}'],
    ['{"key":-1.5e+3,"name":"x"}', '{"key":"[redacted]","name":"x"}'],
    ['{"secret":{"a":["}"]},"name":"x"}', '{"secret":"[redacted]","name":"x"}'],
    ['{"keys":[[1],{"a":"]"}] }', '{"keys":"[redacted]" }'],
    ['{"auth":true,"key":false,"token":null}', '{"auth":true,"key":false,"token":null}'],
    ['{"a":{"password":""}}', '{"a":{"password":"[redacted]"}}'],
    ['{"type":"debug","name":"token"}', '{"type":"debug","name":"token"}'],
    ['["token","abc"]', '["token","abc"]'],
    ['{"token":"a","token":"b"}', '{"token":"[redacted]","token":"[redacted]"}'],
    ['{"args":["--token","abc","--v","1"]}', '{"args":["--token","[redacted]","--v","1"]}'],
    ['{"a":"--token","b":"abc"}', '{"a":"--token","b":"abc"}'],
    ['{"kubeconfig":"/etc/cni/kubeconfig"}', '{"kubeconfig":"/etc/cni/kubeconfig"}'],
    ['{"publicKey":"abc","keyboard":"de"}', '{"publicKey":"abc","keyboard":"de"}'],
  ])('%p', redacts);

  test('in JSON that a string holds, as deep as anyone nests it', () => {
    let raw = '{"token":"abc","mtu":1}';
    let redacted = '{"token":"[redacted]","mtu":1}';
    for (let level = 0; level < 3; level += 1) {
      raw = JSON.stringify({ config: raw });
      redacted = JSON.stringify({ config: redacted });
      expect(text(raw)).toBe(redacted);
    }
  });
});

describe('text: damaged and cut JSON', () => {
  test.each([
    ['{"token":"abc', '{"token":"[redacted]"'],
    ['{"token":["abc",', '{"token":"[redacted]"'],
    ['{"token":12', '{"token":"[redacted]"'],
    ['{"token":', '{"token":'],
    ['{"token', '{"token'],
    ['oken":"x","token":"abc"}', 'oken":"x","token":"[redacted]"}'],
    ['{token:"abc"}', '{token:"[redacted]"}'],
    ['{"token:"abc"}', '{"token:"[redacted]"}'],
    ['{token":"abc"}', '{token":"[redacted]"}'],
    ['{"token""abc"}', '{"token""[redacted]"}'],
    ['{"token":abc","mtu":1}', '{"token":"[redacted]"","mtu":1}'],
    ['{"token"=>"abc"}', '{"token"=>"[redacted]"}'],
    ["{'token': 'a b', 'mtu': 1}", "{'token': '[redacted]', 'mtu': 1}"],
    ['{"a":"x"y","token":"abc"}', '{"a":"x"y","token":"[redacted]"}'],
  ])('%p', redacts);
});

describe('text: shapes that tell by themselves', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_';
  const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----';
  test.each([
    ['using Bearer xyz now', 'using Bearer [redacted] now'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['Basic authentication failed', 'Basic authentication failed'],
    [`got ${jwt}, denied`, 'got [redacted], denied'],
    [pem, '-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '-----BEGIN PRIVATE KEY-----[redacted]'],
    ['-----BEGIN CERTIFICATE-----\nMIIE\n', '-----BEGIN CERTIFICATE-----\nMIIE\n'],
    [JSON.stringify({ a: Buffer.from(pem).toString('base64') }), '{"a":"[redacted]"}'],
    ['https://user:pa@ss@host:80/x', 'https://user:[redacted]@host:80/x'],
    ['http://host:8080/a', 'http://host:8080/a'],
    [JSON.stringify({ a: `x ${jwt}` }), '{"a":"x [redacted]"}'],
    [
      JSON.stringify({ a: pem }),
      '{"a":"-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----"}',
    ],
  ])('%p', redacts);
});

describe('text: names and values outside JSON', () => {
  test.each([
    ['password=abc user=bob', 'password=[redacted] user=bob'],
    ['token=a,b,user=bob', 'token=[redacted],user=bob'],
    ['(api_key=abc).', '(api_key=[redacted]'],
    ["password='a b' x", "password='[redacted]' x"],
    ['msg="password=abc" token="a b" level=info', 'msg="password=[redacted]" token="[redacted]" level=info'],
    ['/login?access_token=abc&page=2', '/login?access_token=[redacted]&page=2'],
    ['curl --token abc --password=x -v', 'curl --token [redacted] --password=[redacted] -v'],
    ['curl -H "Authorization: Bearer abc" host', 'curl -H "Authorization: [redacted]" host'],
    ['GET /\r\nAuthorization: Digest a="b"\r\nHost: x', 'GET /\r\nAuthorization: [redacted]\r\nHost: x'],
    [
      '&{Name:x Token:abc Mtu:1} map[token:abc type:x]',
      '&{Name:x Token:[redacted] Mtu:1} map[token:[redacted] type:x]',
    ],
    ['wrong password: abc', 'wrong password: [redacted]'],
    ['debug=1 auth=false', 'debug=1 auth=false'],
    ['password=ab\\ndef x', 'password=[redacted] x'],
    ['[{"args":"password=ab\\nuser=bob"}]', '[{"args":"password=[redacted]\\nuser=bob"}]'],
  ])('%p', redacts);

  test.each([
    'missing key: mtu',
    'secrets "default/token" not found',
    'pull registry.example/auth:v1',
    'if token == x',
    'dial tcp [::1]:6443: connection refused',
    'prevResult.ips[0].address: "10.1.0.300/24" is not a CIDR address',
    'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=token-x',
  ])('%s stays', (raw) => expect(text(raw)).toBe(raw));
});

describe('text: contents of a kubeconfig', () => {
  const kubeconfig = (token: string, key: string) => `apiVersion: v1
kind: Config
users:
- name: cni
  user:
    token: ${token}
    client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
    client-key-data: |
      ${key}
current-context: cni
`;
  const raw = kubeconfig('"abc"', 'TUlJRQ==\n      abc=');
  const redacted = kubeconfig('[redacted]', '[redacted]');

  test('as text, as a string, and as a string in a string', () => {
    expect(text(raw)).toBe(redacted);
    expect(text(JSON.stringify({ kubeconfig: raw }))).toBe(JSON.stringify({ kubeconfig: redacted }));
    expect(text(JSON.stringify(JSON.stringify({ kubeconfig: raw })))).toBe(
      JSON.stringify(JSON.stringify({ kubeconfig: redacted })),
    );
  });

  test('in Base64', () => {
    const encoded = Buffer.from(raw).toString('base64');
    expect(text(JSON.stringify({ kubeconfig: encoded }))).toBe('{"kubeconfig":"[redacted]"}');
  });

  test('lists and blocks below a name go as a whole', () => {
    expect(text('tokens:\n- a\n- b\nmtu: 1')).toBe('tokens:\n[redacted]\nmtu: 1');
    expect(text('  auth:\n    user: a\n\n    x: b\n  mtu: 1')).toBe('  auth:\n    [redacted]\n  mtu: 1');
  });
});

describe('json', () => {
  const document = parseJson(
    '{"token":12,"n":9007199254740993,"__proto__":{"key":[1]},"a":["--key","x","Bearer y"]}',
  );

  test('is a deep copy, with all other values as they are', () => {
    const before = stringifyJson(document);
    expect(stringifyJson(json(document))).toBe(
      '{"token":"[redacted]","n":9007199254740993,"__proto__":{"key":"[redacted]"},' +
        '"a":["--key","[redacted]","Bearer [redacted]"]}',
    );
    expect(stringifyJson(document)).toBe(before);
  });

  test('keeps booleans and null', () => {
    expect(stringifyJson(json(parseJson('{"auth":true,"key":null}')))).toBe('{"auth":true,"key":null}');
  });
});

describe('environment and cniArgs', () => {
  test('values of secret names, and secrets in other values', () => {
    expect(
      environment({
        CNI_COMMAND: 'ADD',
        CNI_ARGS: 'IgnoreUnknown=1;TOKEN=a=b,c=d;K8S_POD_NAME=x',
        API_TOKEN: 'abc',
        EMPTY_TOKEN: '',
        HTTPS_PROXY: 'http://user:abc@proxy:3128',
        KUBECONFIG: '/etc/kubeconfig',
        SSH_AUTH_SOCK: '/run/ssh',
        NONE: undefined,
      }),
    ).toEqual({
      CNI_COMMAND: 'ADD',
      CNI_ARGS: 'IgnoreUnknown=1;TOKEN=[redacted];K8S_POD_NAME=x',
      API_TOKEN: '[redacted]',
      EMPTY_TOKEN: '',
      HTTPS_PROXY: 'http://user:[redacted]@proxy:3128',
      KUBECONFIG: '/etc/kubeconfig',
      SSH_AUTH_SOCK: '/run/ssh',
    });
  });

  test('CNI_ARGS that are malformed stay', () => {
    for (const args of ['', ';', '=', 'none', 'a;;b=']) expect(cniArgs(args)).toBe(args);
  });

  test('patterns of the configuration hold everywhere', () => {
    const own = redactor(['^peer$']);
    expect(own.text('{"Peer":"x"}')).toBe('{"Peer":"[redacted]"}');
    expect(own.text('peer=x')).toBe('peer=[redacted]');
    expect(own.cniArgs('PEER=x')).toBe('PEER=[redacted]');
    expect(own.environment({ PEER: 'x' })).toEqual({ PEER: '[redacted]' });
    expect(own.isSecretName('peer')).toBe(true);
  });
});
