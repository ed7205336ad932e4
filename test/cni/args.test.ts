import { expect, test } from 'bun:test';
import { parseArgs, podOf } from '../../src/cni/args.ts';

test.each([
  ['', {}, []],
  ['IP=10.0.0.1', { IP: '10.0.0.1' }, []],
  ['A=1;B=2;A=3', { A: '3', B: '2' }, []],
  ['A=', { A: '' }, []],
  ['none', {}, ['none']],
  ['A=1;;B=x=y;=z', { A: '1' }, ['', 'B=x=y', '=z']],
])('%j', (text, values, malformed) => {
  const args = parseArgs(text);
  expect(Object.fromEntries(args.values)).toEqual(values as Record<string, string>);
  expect(args.malformed).toEqual(malformed);
});

test('the pod as the kubelet names it', () => {
  const args = parseArgs('IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx;K8S_POD_UID=u');
  expect(podOf(args)).toEqual({ namespace: 'default', name: 'nginx', uid: 'u', infraContainerID: undefined });
  expect(podOf(parseArgs('IgnoreUnknown=1'))).toBeUndefined();
});
