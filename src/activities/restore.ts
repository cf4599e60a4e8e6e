import { refreshRuns } from '../adapters/cluster/refresh-runs.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import { createDriver, withTarget, type OpenTarget } from '../adapters/open-target.js';
import { checkBackups, restoreStores, waitUntilAlone, type RestoreOrders } from '../adapters/restore-stores.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { RestoreRequest, TargetActivities } from '../contract/activities.js';
import { PreconditionError } from '../core/errors.js';
import { databaseNameOf } from '../core/input/input.js';
import { mapStores, ofPart, partsIn } from '../core/stores.js';
import { startOrder } from '../core/planning/roll-order.js';
import { estimateLoss } from './estimate-restore.js';
import { currentWork } from './guard.js';
import { refreshList } from './snapshot-files.js';

type RestoreActivities = Pick<
  TargetActivities,
  'estimateRestore' | 'prepareRestore' | 'stopServers' | 'restoreStores' | 'startServers' | 'refreshVisibility'
>;

/** Activities that take a target back to its backups. */
export const createRestoreActivities = ({ tools }: { readonly tools: ToolResolver }): RestoreActivities => ({
  async estimateRestore({ load, ...request }) {
    return withTarget(request.target, tools, async (opened) => {
      const backups = await checkBackups(opened, ordersOf(request), currentWork());
      const loss = await estimateLoss(request, { opened, load, backupAt: backups.default.takenAt });
      return { lines: [...backupLines(request, backups), ...loss, ...(await wayLines(request, opened))] };
    });
  },

  async prepareRestore(request) {
    const { target, from } = request;
    const work = currentWork();
    return withTarget(target, tools, async (opened) => {
      await opened.driver.prepare(from, work);
      for (const part of partsIn(opened.stores)) await ofPart(opened.stores, part).restore.findWay();
      return { lines: backupLines(request, await checkBackups(opened, ordersOf(request), work)) };
    });
  },

  async stopServers({ target }) {
    const driver = createDriver(target, tools);
    for (const name of startOrder(await driver.listNodes()).toReversed()) await driver.stopNode(name, currentWork());
    const running = (await driver.listNodes()).filter((node) => node.running).map(({ name }) => name);
    if (running.length > 0)
      throw new PreconditionError(
        `${running.join(', ')} of ${target.name} run again after they were stopped; who starts them?`,
      );
    await withTarget(target, tools, (opened) => waitUntilAlone(target, opened, currentWork()));
    return { stoppedAt: new Date().toISOString() };
  },

  async restoreStores(request) {
    const { target } = request;
    const restore = { orders: ordersOf(request), listFile: refreshList(request) };
    return withTarget(target, tools, (opened) => restoreStores(target, opened, restore, currentWork()));
  },

  async startServers({ target, version }) {
    const driver = createDriver(target, tools);
    const work = currentWork();
    await driver.prepare(version, work);
    for (const name of startOrder(await driver.listNodes())) await driver.startNode(name, version, work);
  },

  async refreshVisibility(request) {
    return withFrontend(request.target.connection, (frontend) =>
      refreshRuns(frontend, refreshList(request), currentWork()),
    );
  },
});

function ordersOf({ backups, schema, stamp }: RestoreRequest): RestoreOrders {
  return mapStores(backups, (backup, part) => ({ ...backup, schema: ofPart(schema, part), stamp }));
}

type Manifests = Awaited<ReturnType<typeof checkBackups>>;

function backupLines({ backups }: RestoreRequest, manifests: Manifests): string[] {
  return partsIn(backups).map((name) => {
    const { takenAt, schemaVersion } = ofPart(manifests, name);
    const { file, sha256 } = ofPart(backups, name);
    return `backup of ${name}: taken at ${takenAt}, schema ${schemaVersion}, ${file}, sha256 ${sha256}, read again`;
  });
}

/** How it would be done, and what would be kept. */
async function wayLines({ target, from }: RestoreRequest, { stores }: OpenTarget): Promise<string[]> {
  const lines = [`every server of ${target.name} is stopped meanwhile; then those of ${from} are started`];
  for (const name of partsIn(stores)) {
    const { way, why, bytes } = await ofPart(stores, name).restore.findWay();
    const database = databaseNameOf(ofPart(target.stores, name));
    lines.push(
      way === 'beside'
        ? `${name}: restored beside "${database}", which is then kept as "${database}_before_restore_<time>"; takes up to ${bytes} bytes more on the database's disk`
        : `${name}: restored in place, as ${why ?? 'nothing else is possible'}; nothing is kept but a backup of "${database}" that is made before, of up to ${bytes} bytes on the disk of the backups`,
    );
  }
  return lines;
}
