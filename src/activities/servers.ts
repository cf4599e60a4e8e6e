import { mkdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDriver, withTarget, type OpenTarget } from '../adapters/open-target.js';
import { listShards } from '../adapters/cluster/history-host.js';
import { readClusterInfo } from '../adapters/cluster/target-cluster.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { TargetActivities } from '../contract/activities.js';
import type { ShardRow } from '../core/cluster.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { rollOrder } from '../core/planning/roll-order.js';
import { proveSettle, type SettleProof } from '../core/settle.js';
import { currentWork, reportProgress } from './guard.js';
import { compareWithRecorded, recordRunning } from './running-work.js';
import { keepOrMake, snapshotFiles } from './snapshot-files.js';

type ServerActivities = Pick<TargetActivities, 'planRoll' | 'takeSnapshot' | 'proveSettle' | 'verifyRunning'>;

const PROVE_AGAIN_MS = 3_000;

/** Who owned which shard before the servers were replaced. */
interface ShardSnapshot {
  readonly takenAt: string;
  readonly rows: readonly ShardRow[];
}

/** Activities on the server processes of a target. */
export const createServerActivities = ({ tools }: { readonly tools: ToolResolver }): ServerActivities => ({
  async planRoll({ target, direction }) {
    const nodes = await createDriver(target, tools).listNodes();
    const roles = new Map(nodes.map(({ name, role }) => [name, role]));
    return rollOrder(nodes, direction).map((node) => ({ node, role: roles.get(node) ?? '' }));
  },

  async takeSnapshot({ shardsOnly = false, ...place }) {
    const files = snapshotFiles(place);
    await mkdir(files.directory, { recursive: true });
    return withTarget(place.target, tools, async ({ stores }) => {
      // A second try must not take the state in the middle of the roll for the one before it.
      const shards = await keepOrMake<ShardSnapshot>(files.shards, async () => ({
        takenAt: new Date().toISOString(),
        rows: await stores.default.readShards(),
      }));
      if (shardsOnly) return { shards: shards.rows.length, running: {}, takenAt: shards.takenAt };
      const running = await recordRunning(place, files);
      return { shards: shards.rows.length, takenAt: shards.takenAt, ...running };
    });
  },

  async proveSettle({ timeoutMs, since, ...place }) {
    const { target, to } = place;
    const before = JSON.parse(await readFile(snapshotFiles(place).shards, 'utf8')) as ShardSnapshot;
    const { signal } = currentWork();
    return withTarget(target, tools, async (opened) => {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        signal?.throwIfAborted();
        const proof = await tryToProve(target, to, before, opened).catch((error: unknown) => messageOf(error));
        if (typeof proof !== 'string' && proof.proved) {
          return { shards: before.rows.length, owners: proof.owned, provedAt: new Date().toISOString() };
        }
        reportProgress(typeof proof === 'string' ? { waitsFor: proof } : { unproved: proof.missingCount, since });
        if (Date.now() > deadline) throw new PreconditionError(unproved(target, to, proof));
        await sleep(PROVE_AGAIN_MS, undefined, { signal });
      }
    });
  },

  async verifyRunning(place) {
    return compareWithRecorded(place, snapshotFiles(place));
  },
});

async function tryToProve(
  target: Target,
  version: string,
  before: ShardSnapshot,
  { driver, stores }: OpenTarget,
): Promise<SettleProof> {
  const nodes = await driver.listNodes();
  const behind = nodes.filter((node) => node.version !== version);
  if (behind.length > 0) {
    throw new PreconditionError(`${behind.map(({ name }) => name).join(', ')} of ${target.name} do not run ${version}`);
  }
  const history = nodes.filter(({ role }) => role === 'history');
  const { shardCount, owned } = await withFrontend(target.connection, async (frontend) => ({
    owned: await Promise.all(
      history.map(async ({ rpcAddress }) => [rpcAddress, await listShards(frontend, rpcAddress)] as const),
    ),
    shardCount: (await readClusterInfo(frontend)).historyShardCount,
  }));
  return proveSettle({
    shardCount,
    before: before.rows,
    beforeTakenAt: before.takenAt,
    after: await stores.default.readShards(),
    owners: history.map(({ rpcAddress, startedAt }) => ({ address: rpcAddress, startedAt: startedAt ?? '' })),
    ownedByNode: Object.fromEntries(owned),
  });
}

function unproved(target: Target, version: string, proof: SettleProof | string): string {
  if (typeof proof === 'string') return `the settle of ${target.name} on ${version} could not be proved: ${proof}`;
  return [
    `${proof.missingCount} shards of ${target.name} are not proved to be owned by ${version} alone:`,
    ...proof.missing.map(({ shardId, reason }) => `shard ${shardId} ${reason}`),
  ].join('\n');
}
