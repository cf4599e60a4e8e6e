import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { refreshRuns } from '../adapters/cluster/refresh-runs.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import type { BackupManifest } from '../adapters/backup-manifest.js';
import { createDriver, withTarget, type OpenTarget } from '../adapters/open-target.js';
import type { Work } from '../adapters/store.js';
import type { RestoreOrder } from '../adapters/store-restore.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { STORES, type RestoreRequest, type StoreName, type TargetActivities } from '../contract/activities.js';
import { PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { startOrder } from '../core/planning/roll-order.js';
import { estimateLoss } from './estimate-restore.js';
import { currentWork } from './guard.js';
import { refreshList } from './snapshot-files.js';

type RestoreActivities = Pick<
  TargetActivities,
  'estimateRestore' | 'prepareRestore' | 'stopServers' | 'restoreStores' | 'startServers' | 'refreshVisibility'
>;

/** A connection of a server that has ended is seen by its database for a moment longer. */
const SESSIONS_END_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;

/** Activities that take a target back to its backups. */
export const createRestoreActivities = ({ tools }: { readonly tools: ToolResolver }): RestoreActivities => ({
  async estimateRestore({ load, ...request }) {
    return withTarget(request.target, tools, async (opened) => {
      const backups = await checkBackups(request, opened);
      const loss = await estimateLoss(request, { opened, load, backupAt: backups.default.takenAt });
      return { lines: [...backupLines(request, backups), ...loss, ...(await wayLines(request, opened))] };
    });
  },

  async prepareRestore(request) {
    const { target, from } = request;
    const work = currentWork();
    return withTarget(target, tools, async (opened) => {
      await opened.driver.prepare(from, work);
      for (const name of STORES) await opened.stores[name].restore.findWay();
      return { lines: backupLines(request, await checkBackups(request, opened)) };
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
    const work = currentWork();
    const { target } = request;
    return withTarget(target, tools, async (opened) => {
      await requireStopped(target, opened);
      const [main, visibility] = [opened.stores.default.restore, opened.stores.visibility.restore];
      const [mainOrder, visibilityOrder] = [orderOf(request, 'default'), orderOf(request, 'visibility')];
      const { takenAt } = await main.bring(mainOrder, work);
      await visibility.bring(visibilityOrder, work);
      const listFile = refreshList(request);
      await mkdir(dirname(listFile), { recursive: true });
      const inStep = await main.withRuns(mainOrder, (runs) =>
        visibility.bringInStep(visibilityOrder, { runs, listFile }, work),
      );
      // Whatever is killed between the two: nobody looks at either before both are there.
      const kept = {
        default: await main.takePlace(mainOrder, work),
        visibility: await visibility.takePlace(visibilityOrder, work),
      };
      await requireSchema(request, opened);
      return { backupAt: takenAt, kept, ...inStep };
    });
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

function orderOf({ backups, schema, stamp }: RestoreRequest, store: StoreName): RestoreOrder {
  return { ...backups[store], schema: schema[store], stamp };
}

type Manifests = Readonly<Record<StoreName, BackupManifest>>;

/** Reads all of both backups again. @throws PreconditionError */
async function checkBackups(request: RestoreRequest, { stores }: OpenTarget): Promise<Manifests> {
  const check = (name: StoreName) => stores[name].restore.checkBackup(orderOf(request, name), currentWork());
  return { default: await check('default'), visibility: await check('visibility') };
}

function backupLines({ backups }: RestoreRequest, manifests: Manifests): string[] {
  return STORES.map((name) => {
    const { takenAt, schemaVersion } = manifests[name];
    const { file, sha256 } = backups[name];
    return `backup of ${name}: taken at ${takenAt}, schema ${schemaVersion}, ${file}, sha256 ${sha256}, read again`;
  });
}

/** How it would be done, and what would be kept. */
async function wayLines({ target, from }: RestoreRequest, { stores }: OpenTarget): Promise<string[]> {
  const lines = [`every server of ${target.name} is stopped meanwhile; then those of ${from} are started`];
  for (const name of STORES) {
    const { way, why, bytes } = await stores[name].restore.findWay();
    const { database } = target.stores[name];
    lines.push(
      way === 'beside'
        ? `${name}: restored beside "${database}", which is then kept as "${database}_before_restore_<time>"; takes up to ${bytes} bytes more on the database's disk`
        : `${name}: restored in place, as ${why ?? 'nothing else is possible'}; nothing is kept but a backup of "${database}" that is made before, of up to ${bytes} bytes on the disk of the backups`,
    );
  }
  return lines;
}

async function requireStopped({ name }: Target, { driver }: OpenTarget): Promise<void> {
  const running = (await driver.listNodes()).filter((node) => node.running);
  if (running.length === 0) return;
  const names = running.map((node) => node.name).join(', ');
  throw new PreconditionError(
    `${names} of ${name} runs; nothing is restored under a server. Say retry: they are stopped`,
  );
}

/** @throws PreconditionError that names who else uses the databases */
async function waitUntilAlone({ name }: Target, { stores }: OpenTarget, work: Work): Promise<void> {
  const end = Date.now() + SESSIONS_END_WITHIN_MS;
  for (;;) {
    work.signal?.throwIfAborted();
    const others: string[] = [];
    for (const store of STORES) {
      const sessions = await stores[store].restore.listSessions();
      others.push(...sessions.map((line) => `${store}: ${line}`));
    }
    if (others.length === 0) return;
    if (Date.now() > end) {
      throw new PreconditionError(
        [`others are connected to the databases of ${name}, whose servers are all stopped; end them:`, ...others].join(
          '\n',
        ),
        { others },
      );
    }
    work.onProgress?.(`waiting until ${others.length} connections to the databases have ended`);
    await sleep(LOOK_AGAIN_MS, undefined, { signal: work.signal });
  }
}

async function requireSchema({ target, schema }: RestoreRequest, { stores }: OpenTarget): Promise<void> {
  for (const name of STORES) {
    const found = await stores[name].readSchemaVersion();
    if (found !== schema[name])
      throw new PreconditionError(
        `the ${name} schema of ${target.name} is ${found} after the restore, not ${schema[name]}`,
      );
  }
}
