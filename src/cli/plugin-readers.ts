import { settingsProblems as bridge } from '../../plugins/bridge/configuration.ts';
import { readSettings as readDebug } from '../../plugins/debug/configuration.ts';
import { settingsProblems as flannel } from '../../plugins/flannel/configuration.ts';
import { readUsableSettings as readHostRoutes } from '../../plugins/host-routes/configuration.ts';
import { settingsProblems as macvlan } from '../../plugins/macvlan/configuration.ts';
import { settingsProblems as portmap } from '../../plugins/portmap/configuration.ts';
import { hostLocalProblems } from '../ipam/host-local-problems.ts';
import type { ReadersByType } from '../lint/context.ts';

/** What our own plugins refuse of a configuration: in the words of an ADD, because it is the code of an ADD. */
export const readersByType: ReadersByType = {
  bridge,
  debug(document, version) {
    const { problems, isBridge } = readDebug(document);
    return isBridge ? [...problems, ...bridge(document, version)] : problems;
  },
  flannel,
  'host-local': hostLocalProblems,
  'host-routes': (document) => readHostRoutes(document).problems,
  loopback: () => [],
  macvlan,
  portmap,
};
