/** Networks that the tests of the command line attach containers of `ctr` to: each a bridge with addresses of its own. */

/** That which `ctr` attaches to; it is said so in the first file of the node's networks. */
export function lab(keys: Record<string, unknown> = {}): object {
  return bridgeNetwork('lab', { bridge: 'cni0', isDefaultGateway: true }, '10.50.0.0/16', keys);
}

/** One that only we attach to. */
export function further(keys: Record<string, unknown> = {}): object {
  return bridgeNetwork('further', { bridge: 'cni1', isGateway: true }, '10.60.0.0/16', keys);
}

function bridgeNetwork(
  name: string,
  bridge: Record<string, unknown>,
  subnet: string,
  keys: Record<string, unknown>,
): object {
  const plugin = { type: 'debug', ...bridge, ipam: { type: 'host-local', ranges: [[{ subnet }]] } };
  return { cniVersion: '1.0.0', name, plugins: [plugin], ...keys };
}
