import { mkdir } from 'node:fs/promises';
import { createDriver, type OpenTarget, withTarget } from '../adapters/open-target.js';
import { readShards } from '../adapters/read-shards.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { HopPlace, TargetActivities } from '../contract/activities.js';
import { rollOrder } from '../core/planning/roll-order.js';
import { compareWithRecorded, recordRunning } from './running-work.js';
import { compareSearchAttributes } from './search-attributes.js';
import { keepOrMake, readKept, snapshotFiles, type ShardSnapshot } from './snapshot-files.js';

type ServerActivities = Pick<TargetActivities, 'planRoll' | 'takeSnapshot' | 'verifyRunning'>;

/**
 * Who owns which shard. Where frontends alone could say it, and none does, as after a roll that broke them, the way back is held
 * against what the way forward wrote down: its owners are older still.
 */
async function ownersNow(place: HopPlace, opened: OpenTarget): Promise<ShardSnapshot> {
  const takenAt = new Date().toISOString();
  // After a restore nothing runs yet that could be asked.
  if (place.restored === true) return { takenAt, rows: await opened.stores.default.readShards() };
  try {
    return { takenAt, rows: await readShards(place.target, opened) };
  } catch (error) {
    const forward = { ...place, from: place.to, to: place.from };
    const kept =
      place.target.shardsFrom === 'admin' ? await readKept<ShardSnapshot>(snapshotFiles(forward).shards) : undefined;
    if (kept === undefined) throw error;
    return kept;
  }
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
    return withTarget(place.target, tools, async (opened) => {
      // A second try must not take the state in the middle of the roll for the one before it.
      const shards = await keepOrMake(files.shards, () => ownersNow(place, opened));
      if (shardsOnly) return { shards: shards.rows.length, running: {}, takenAt: shards.takenAt };
      const running = await recordRunning(place, files);
      return { shards: shards.rows.length, takenAt: shards.takenAt, ...running };
    });
  },

  async verifyRunning(place) {
    const running = await compareWithRecorded(place, snapshotFiles(place));
    return { ...running, searchAttributes: await compareSearchAttributes(place) };
  },
});
