import { describe, expect, test } from 'bun:test';
import { invalidPattern, secretNames } from '../../src/trace/secret-names.ts';

const secret = `
  token tokens Token TOKEN accessToken access_token access-token X-Auth-Token k8s.token token2 idtoken
  password Password passWord PASSWD passwd passwords dbPassword DB_PASSWORD db.password pwd pass smtp_pass
  passphrase keyPassphrase secret secrets clientSecret client-secret MY_SECRETS secret_id
  credential credentials awsCredentials creds auth Auth oauth basic_auth authentication authorization
  Proxy-Authorization bearer bearerToken cookie Set-Cookie cookies
  key Key KEY keys apiKey APIKey apiKEY api_key apikey apikeys X-API-Key privateKey privatekey accessKey
  AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID client-key-data sshKey presharedkey preSharedKey psk wpa_psk jwt otp
  toKen pAsSwOrD pa\u017fsword to\u212aen publicKeyPassword --token
`;

const harmless = `
  monkey keyboard keyspace turkey hockey tokenizer tokenize secretary author authority authored compass bypass
  passthrough passes publicKey public_key publickey pubkey sshPublicKey certificate-authority-data
  client-certificate-data kubeconfig KUBECONFIG tokenFile token_path secretName keySize keyAlgorithm authMode
  SSH_AUTH_SOCK passwordFile secretRef tokenTTL authUrl
  name type cniVersion ipam subnet mac mtu K8S_POD_NAME K8S_POD_NAMESPACE K8S_POD_INFRA_CONTAINER_ID
  IgnoreUnknown IP MAC CNI_ARGS PATH bridge isGateway portMappings hostPort __proto__ constructor
`;

const words = (table: string): string[] => table.trim().split(/\s+/);

describe('the built-in names', () => {
  const isSecretName = secretNames([]);
  test.each(words(secret))('%s is a secret', (name) => expect(isSecretName(name)).toBe(true));
  test.each(words(harmless))('%s is none', (name) => expect(isSecretName(name)).toBe(false));

  test('the empty name, white space and other scripts are none', () => {
    for (const name of ['', ' ', '密码', '\ud800', '🔑']) expect(isSecretName(name)).toBe(false);
  });
});

describe('patterns of the configuration', () => {
  test('find parts of names, in upper or lower case, on top of the built-in names', () => {
    const isSecretName = secretNames(['^vpn', 'serial-?number']);
    for (const name of ['VPN_PEER', 'vpn', 'mySerialNumber', 'serial-number', 'token'])
      expect(isSecretName(name)).toBe(true);
    for (const name of ['myvpn', 'serial']) expect(isSecretName(name)).toBe(false);
  });

  test('overrule what only describes a secret', () => {
    expect(secretNames(['tokenFile'])('tokenFile')).toBe(true);
  });

  test('find names in UTF-8 that was read as Latin-1', () => {
    const isSecretName = secretNames(['contraseña']);
    expect(isSecretName('contraseña')).toBe(true);
    expect(isSecretName(Buffer.from('Contraseña').toString('latin1'))).toBe(true);
  });

  test('are ignored when they are invalid', () => {
    const isSecretName = secretNames(['(', '', 'vpn']);
    expect(isSecretName('name')).toBe(false);
    expect(isSecretName('vpn')).toBe(true);
    expect(isSecretName('token')).toBe(true);
  });
});

describe('invalidPattern', () => {
  test.each(['vpn', '^a|b$', '\\bx\\b', 'ä'])('%s is valid', (pattern) => {
    expect(invalidPattern(pattern)).toBeUndefined();
  });

  test.each(['(', '[a', '*', 'a{2,1}', '(?<x'])('%s is not, and the reason is said', (pattern) => {
    expect(invalidPattern(pattern)).toMatch(/^is no regular expression: \S/);
  });

  test('the empty pattern would match every name', () => {
    expect(invalidPattern('')).toBe('is empty, and would match every name');
  });
});
