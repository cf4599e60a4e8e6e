import type { NodeState } from '../core/cluster.js';
import type { Target } from '../core/input/input.js';
import { nodesOf } from '../core/input/listed-nodes.js';
import { mapStores, mapStoresAsync, roleOfPart, type PerStore } from '../core/stores.js';
import { keepBackups } from './backups/keep-backups.js';
import { createCommandDriver } from './command/command-driver.js';
import { createComposeDriver } from './compose/compose-driver.js';
import type { Driver } from './driver.js';
import { createKubernetesDriver } from './kubernetes/kubernetes-driver.js';
import { createProcessDriver } from './process/process-driver.js';
import type { Store } from './store.js';
import { createStore } from './stores.js';
import { createSystemdDriver } from './systemd/systemd-driver.js';
import type { ToolResolver } from './tools/tools.js';

/** A target with everything that reaches it. */
export interface OpenTarget {
  readonly driver: Driver;
  readonly stores: PerStore<Store>;
}

/** The driver that the target's input names. */
export function createDriver(target: Target, tools: ToolResolver): Driver {
  switch (target.driver.type) {
    case 'process':
      return createProcessDriver(target.driver, tools);
    case 'systemd':
      return createSystemdDriver(target.driver);
    case 'command':
      return createCommandDriver(target.driver);
    case 'compose':
      return createComposeDriver(target.driver);
    case 'kubernetes':
      return createKubernetesDriver(target.driver);
  }
}

/** Opens the driver and the stores of `target` for `use`, and closes them after it. */
export async function withTarget<T>(
  target: Target,
  tools: ToolResolver,
  use: (opened: OpenTarget) => Promise<T>,
): Promise<T> {
  const stores = mapStores(target.stores, (input, part) =>
    keepBackups(createStore(input, roleOfPart(part), tools), part, target),
  );
  try {
    return await use({ driver: createDriver(target, tools), stores });
  } finally {
    await mapStoresAsync(stores, (store) => store.close());
  }
}

/** Address of each frontend: as the input says, else those of the nodes that have the role; `found` where it lists none. */
export function frontendsOf(target: Target, found: readonly NodeState[]): string[] {
  return (
    target.frontends ??
    nodesOf(target, found)
      .filter(({ role }) => role === 'frontend')
      .map(({ rpcAddress }) => rpcAddress)
  );
}
