import { readUsableSettings as readBridge } from '../../plugins/bridge/configuration.ts';
import { wantedNat as natOfBridge } from '../../plugins/bridge/wanted-nat.ts';
import { readSettings as readDebug } from '../../plugins/debug/configuration.ts';
import { readSettings as readHostRoutes } from '../../plugins/host-routes/configuration.ts';
import { readPeersFile } from '../../plugins/host-routes/peers-file.ts';
import { wantedNat as natOfPortmap } from '../../plugins/portmap/wanted-nat.ts';
import type { JsonObject } from '../cni/json.ts';
import type { PluginFacts } from '../doctor/plugin-facts.ts';

/** What our plugins make of their configurations, in their own words. */
export const pluginFacts: PluginFacts = {
  bridge: (type, document) => (isBridge(type, document) ? readBridge(document).settings : undefined),
  nat(type, document, made) {
    if (isBridge(type, document)) return natOfBridge(document, made, made.result);
    return type === 'portmap' ? natOfPortmap(document, made, made.result, made.linkTo) : undefined;
  },
  hostRoutes(type, document) {
    if (type !== 'host-routes') return undefined;
    const { routes = [], peersFile } = readHostRoutes(document);
    return peersFile === undefined ? routes : readPeersFile(peersFile);
  },
};

/** `debug` is that, too, when the keys say so. */
function isBridge(type: string, document: JsonObject): boolean {
  return type === 'bridge' || (type === 'debug' && readDebug(document).isBridge);
}
