import type { BuiltIns } from './built-in.ts';

/** What this program answers to, besides `cni-debug` and `debug`: a plugin each, loaded when it is called. */
export const builtIns: BuiltIns = {
  bridge: async (surroundings) => (await import('./bridge/plugin.ts')).bridgePlugin(surroundings),
  flannel: async (surroundings) => (await import('./flannel/plugin.ts')).flannelPlugin(surroundings),
  'host-local': async (surroundings) =>
    (await import('./host-local/plugin.ts')).hostLocalPlugin(surroundings),
  'host-routes': async (surroundings) =>
    (await import('./host-routes/plugin.ts')).hostRoutesPlugin(surroundings),
  loopback: async (surroundings) => (await import('./loopback/plugin.ts')).loopbackPlugin(surroundings),
  macvlan: async (surroundings) => (await import('./macvlan/plugin.ts')).macvlanPlugin(surroundings),
  portmap: async (surroundings) => (await import('./portmap/plugin.ts')).portmapPlugin(surroundings),
};
