import { mkdir } from 'node:fs/promises';
import { createDriver, withTarget } from '../adapters/open-target.js';
import { readShards } from '../adapters/read-shards.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { TargetActivities } from '../contract/activities.js';
import { rollOrder } from '../core/planning/roll-order.js';
import { compareWithRecorded, recordRunning } from './running-work.js';
import { compareSearchAttributes } from './search-attributes.js';
import { keepOrMake, snapshotFiles, type ShardSnapshot } from './snapshot-files.js';

type ServerActivities = Pick<TargetActivities, 'planRoll' | 'takeSnapshot' | 'verifyRunning'>;

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
      const shards = await keepOrMake<ShardSnapshot>(files.shards, async () => ({
        takenAt: new Date().toISOString(),
        // After a restore nothing runs yet that could be asked.
        rows: await (place.restored === true ? opened.stores.default.readShards() : readShards(place.target, opened)),
      }));
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
