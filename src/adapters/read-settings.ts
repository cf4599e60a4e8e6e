import type { DynamicConfigFacts, NodeState } from '../core/cluster.js';
import type { Target } from '../core/input/input.js';
import type { Driver } from './driver.js';
import { configuredNodes } from './dynamic-config/configured-nodes.js';
import { readDynamicConfig } from './dynamic-config/read-dynamic-config.js';

/** What the dynamic configuration of a target says, by its driver or by the files of its nodes. Never throws. */
export async function readSettings(
  driver: Driver,
  target: Target,
  nodes: readonly NodeState[],
): Promise<DynamicConfigFacts> {
  return driver.settings?.read() ?? readDynamicConfig(configuredNodes(target, nodes));
}
