import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import { withTarget } from '../adapters/open-target.js';
import { ShardWatchFile } from '../adapters/shard-watch-file.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { SettleRequest, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import { waitingLines } from '../core/settling/draw-picture.js';
import type { ShardPicture } from '../core/shard-picture.js';
import { currentWork, reportProgress } from './guard.js';
import { lookAtShards, type ShardLook } from './look-at-shards.js';
import { queueLag } from './queue-lag.js';
import { snapshotFiles, type ShardSnapshot } from './snapshot-files.js';

/** A look takes at most a fifth of the time, so that it weighs little on a target with many shards. */
const PAUSE_FACTOR = 4;
const SHORTEST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 30_000;

/** The activity that watches the shards while they settle, and proves that they have. */
export const createSettleActivities = ({
  tools,
}: {
  readonly tools: ToolResolver;
}): Pick<TargetActivities, 'proveSettle'> => ({
  async proveSettle(request) {
    const { target } = request;
    const files = snapshotFiles(request);
    const before = JSON.parse(await readFile(files.shards, 'utf8')) as ShardSnapshot; // written by takeSnapshot alone
    const file = await ShardWatchFile.open(files.shardWatch);
    const { signal } = currentWork();
    const until = Date.parse(request.until);
    return withTarget(target, tools, async (opened) => {
      for (;;) {
        signal?.throwIfAborted();
        const began = Date.now();
        const look = await lookAtShards(request, { before, file, opened });
        const late = began >= until;
        const lag =
          late && look.proof?.proved === true ? queueLag(request, look.watchedSince) : { said: 'not looked at yet' };
        if (lag.problem !== undefined) look.picture.waitsFor.push(lag.problem);
        reportProgress(look.picture);
        if (late && look.proof?.proved === true && lag.problem === undefined) {
          const provedAt = new Date().toISOString();
          return {
            shards: look.picture.shards,
            owners: look.proof.owned,
            provedAt,
            queueLag: lag.said,
            picture: look.picture,
          };
        }
        if (began > until + request.timeoutMs) throw unproved(request, look);
        await sleep(pauseAfter(Date.now() - began, until), undefined, { signal });
      }
    });
  },
});

/** Never sleeps past the moment from which the proof counts. */
function pauseAfter(tookMs: number, until: number): number {
  const pause = Math.min(Math.max(tookMs * PAUSE_FACTOR, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
  const left = until - Date.now();
  return left > 0 ? Math.min(pause, left) : pause;
}

/** Looking again is for a person to decide: it was looked at until the time was over. */
function unproved({ target, to }: SettleRequest, { picture, proof }: ShardLook): ApplicationFailure {
  const problems = proof === undefined || proof.proved ? picture.waitsFor : waitingLines(proof, proof.missing.length);
  const message = [
    proof === undefined || proof.missingCount === 0
      ? `the settle of ${target.name} on ${to} could not be proved:`
      : `${proof.missingCount} shards of ${target.name} are not proved to be owned by ${to} alone:`,
    ...problems,
    ...(picture.owners.length > 0 ? [`shards by owner: ${ownersLine(picture)}`] : []),
  ].join('\n');
  return ApplicationFailure.create({
    type: FailureType.precondition,
    message,
    details: [{ picture }],
    nonRetryable: true,
  });
}

function ownersLine({ owners }: ShardPicture): string {
  return owners
    .map(({ address, version = 'version unknown', shards }) => `${address} (${version}) ${shards}`)
    .join(', ');
}
