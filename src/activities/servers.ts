import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeHealthInAllViews, ringViews } from '../adapters/cluster/cluster-view.js';
import { createDriver, withTarget, type OpenTarget } from '../adapters/open-target.js';
import { readShards } from '../adapters/read-shards.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { TargetActivities } from '../contract/activities.js';
import type { NodeState } from '../core/cluster.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { rollOrder } from '../core/planning/roll-order.js';
import { currentWork, reportProgress } from './guard.js';
import { compareWithRecorded, recordRunning } from './running-work.js';
import { keepOrMake, snapshotFiles, type ShardSnapshot } from './snapshot-files.js';

type ServerActivities = Pick<TargetActivities, 'planRoll' | 'replaceNode' | 'takeSnapshot' | 'verifyRunning'>;

const ASK_AGAIN_MS = 500;

/** Activities on the server processes of a target. */
export const createServerActivities = ({ tools }: { readonly tools: ToolResolver }): ServerActivities => ({
  async planRoll({ target, direction }) {
    const nodes = await createDriver(target, tools).listNodes();
    const roles = new Map(nodes.map(({ name, role }) => [name, role]));
    return rollOrder(nodes, direction).map((node) => ({ node, role: roles.get(node) ?? '' }));
  },

  async replaceNode({ target, node, version }) {
    return withTarget(target, tools, async ({ driver }) => {
      const work = currentWork();
      const before = nodeNamed(await driver.listNodes(), node);
      const changed = before.version !== version;
      if (changed) {
        // Nothing may be missing once the old process has gone.
        await driver.prepare(version, work);
        await driver.stopNode(node, work);
      }
      await driver.startNode(node, version, work);
      const after = await waitUntilServing(target, driver, node);
      return {
        node,
        before: before.version ?? null,
        after: after.version ?? version,
        changed,
        servingAt: new Date().toISOString(),
      };
    });
  },

  async takeSnapshot({ shardsOnly = false, ...place }) {
    const files = snapshotFiles(place);
    await mkdir(files.directory, { recursive: true });
    return withTarget(place.target, tools, async (opened) => {
      // A second try must not take the state in the middle of the roll for the one before it.
      const shards = await keepOrMake<ShardSnapshot>(files.shards, async () => ({
        takenAt: new Date().toISOString(),
        rows: await readShards(place.target, opened),
      }));
      if (shardsOnly) return { shards: shards.rows.length, running: {}, takenAt: shards.takenAt };
      const running = await recordRunning(place, files);
      return { shards: shards.rows.length, takenAt: shards.takenAt, ...running };
    });
  },

  async verifyRunning(place) {
    return compareWithRecorded(place, snapshotFiles(place));
  },
});

function nodeNamed(nodes: readonly NodeState[], name: string): NodeState {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new PreconditionError(`the target has no node ${name}`);
  return node;
}

/** Waits until the node is SERVING and a member of its ring in the view of every frontend. */
async function waitUntilServing(target: Target, driver: OpenTarget['driver'], name: string): Promise<NodeState> {
  const { signal } = currentWork();
  const deadline = Date.now() + target.driver.startTimeout;
  for (;;) {
    signal?.throwIfAborted();
    const nodes = await driver.listNodes();
    const node = nodeNamed(nodes, name);
    if (!node.running)
      throw new PreconditionError(`node ${name} ended after it was started; its log says why`, { node: name });
    const evidence = await ringViews(target, nodes)
      .then((views) => nodeHealthInAllViews(target, node, views))
      // A frontend that is being replaced does not answer for a moment.
      .catch((error: unknown) => ({ serving: false, evidence: messageOf(error) }));
    if (evidence.serving) return node;
    reportProgress({ node: name, waitsFor: evidence.evidence });
    if (Date.now() > deadline) {
      throw new PreconditionError(
        `node ${name} runs, but is not ready after ${target.driver.startTimeout} ms: ${evidence.evidence}`,
      );
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}
