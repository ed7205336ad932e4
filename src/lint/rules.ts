import type { Rule } from './rule.ts';
import { capabilityNotDeclared, unknownCapability } from './rules/capabilities.ts';
import { pluginBroken, pluginMissing, pluginNotExecutable } from './rules/executables.ts';
import { faultsAllowed } from './rules/faults.ts';
import {
  backupLoaded,
  noNetwork,
  notLoaded,
  pickedFile,
  unreadableFile,
  wrongExtension,
} from './rules/files.ts';
import { ipamMissing, ipamNotAllowed } from './rules/ipam-sections.ts';
import { duplicateKey, invalidJson } from './rules/json.ts';
import { miscasedKey, unknownKey, wrongType, wrongValue } from './rules/keys.ts';
import { missingKey } from './rules/missing-key.ts';
import { bridgeAddressConflict, chainedPluginFirst, sameNetworkName } from './rules/networks.ts';
import { fileWritable, pluginWritable } from './rules/permissions.ts';
import { gatewayOutsideSubnet, rangeOutsideSubnet } from './rules/ranges.ts';
import { subnetOverlapsHost, subnetsOverlap } from './rules/subnets.ts';
import { noVersion, unknownVersion, unsupportedVersion } from './rules/versions.ts';

/** Every rule there is, in the order of their IDs. One that goes leaves its ID unused for ever. */
export const rules: readonly Rule[] = [
  invalidJson,
  duplicateKey,
  unreadableFile,
  wrongExtension,
  missingKey,
  unknownKey,
  miscasedKey,
  wrongType,
  wrongValue,
  unknownVersion,
  noVersion,
  pluginMissing,
  pluginNotExecutable,
  pluginBroken,
  unsupportedVersion,
  capabilityNotDeclared,
  unknownCapability,
  ipamNotAllowed,
  ipamMissing,
  subnetsOverlap,
  subnetOverlapsHost,
  gatewayOutsideSubnet,
  rangeOutsideSubnet,
  bridgeAddressConflict,
  sameNetworkName,
  pickedFile,
  backupLoaded,
  notLoaded,
  fileWritable,
  pluginWritable,
  chainedPluginFirst,
  noNetwork,
  faultsAllowed,
];
