import { listShards } from '../adapters/cluster/history-host.js';
import { readClusterInfo } from '../adapters/cluster/target-cluster.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import type { OpenTarget } from '../adapters/open-target.js';
import { readShards } from '../adapters/read-shards.js';
import type { ShardWatchFile } from '../adapters/shard-watch-file.js';
import type { SettleRequest } from '../contract/activities.js';
import type { NodeState } from '../core/cluster.js';
import { messageOf } from '../core/errors.js';
import { drawPicture } from '../core/settling/draw-picture.js';
import { processProblems } from '../core/settling/process-problems.js';
import { proveSettle, type SettleCase, type SettleProof } from '../core/settling/prove-settle.js';
import type { ShardPicture } from '../core/shard-picture.js';
import type { ShardSnapshot } from './snapshot-files.js';

/** One look at all shards of a target. */
export interface ShardLook {
  /** Absent when not all of it could be asked; the picture says what could not. */
  readonly proof?: SettleProof | undefined;
  readonly picture: ShardPicture;
  /** The first look, milliseconds since 1970. */
  readonly watchedSince: number;
}

interface Means {
  readonly before: ShardSnapshot;
  readonly file: ShardWatchFile;
  readonly opened: OpenTarget;
}

/** Looks once, and judges what was seen. What cannot be asked is told in the picture; nothing of the target makes it throw. */
export async function lookAtShards(request: SettleRequest, { before, file, opened }: Means): Promise<ShardLook> {
  const lookedAt = Date.now();
  const problems: string[] = [];
  const attempt = attemptWith(problems);
  const nodes = (await attempt('which processes run could not be seen', () => opened.driver.listNodes())) ?? [];
  if (problems.length === 0) problems.push(...processProblems(nodes, request.to));
  const history = nodes.filter(({ role, running }) => role === 'history' && running);
  const [read, held] = await Promise.all([
    attempt('the rows of the shards could not be read', async () => {
      const rows = await readShards(request.target, opened);
      return { rows, readAt: Date.now() };
    }),
    attempt('the frontend could not be asked', () => askHolders(request, history, attempt)),
  ]);
  if (read === undefined) return { picture: blank(request, lookedAt, problems), watchedSince: lookedAt };
  const { rows, readAt } = read;
  const watch = await file.add(rows, readAt);
  const settling: SettleCase = {
    shardCount: held?.shardCount ?? rows.length,
    before: before.rows,
    beforeTakenAt: before.takenAt,
    after: rows,
    lookedAt,
    owners: history
      .filter(({ version }) => version === request.to)
      .map(({ rpcAddress, startedAt }) => ({ address: rpcAddress, startedAt: startedAt ?? '' })),
    ownedByNode: held?.owned ?? {},
    watch,
    demands: request.demands,
  };
  const judged = proveSettle(settling);
  const proved = judged.proved && problems.length === 0;
  const proof = { ...judged, proved, problems: [...problems, ...judged.problems] };
  return { proof, picture: drawPicture(settling, proof, request), watchedSince: watch.since };
}

type Attempt = <T>(what: string, work: () => Promise<T>) => Promise<T | undefined>;

/** What cannot be done becomes a line of `problems`. */
function attemptWith(problems: string[]): Attempt {
  return async (what, work) => {
    try {
      return await work();
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  };
}

async function askHolders(
  { target }: SettleRequest,
  history: readonly NodeState[],
  attempt: Attempt,
): Promise<{ readonly shardCount: number; readonly owned: SettleCase['ownedByNode'] }> {
  return withFrontend(target.connection, async (frontend) => {
    const owned = await Promise.all(
      history.map(async ({ name, rpcAddress }) => {
        const what = `history node ${name} (${rpcAddress}) does not say which shards it holds`;
        return [rpcAddress, (await attempt(what, () => listShards(frontend, rpcAddress))) ?? []] as const;
      }),
    );
    return { shardCount: (await readClusterInfo(frontend)).historyShardCount, owned: Object.fromEntries(owned) };
  });
}

function blank({ to }: SettleRequest, at: number, waitsFor: readonly string[]): ShardPicture {
  return { at: new Date(at).toISOString(), wanted: to, shards: 0, owners: [], unproved: 0, waitsFor: [...waitsFor] };
}
