import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Driver } from '../../src/adapters/driver.js';
import { createStore } from '../../src/adapters/stores.js';
import { ROLLOUT_WORKFLOW, DEFAULT_TASK_QUEUE, rolloutIdOf } from '../../src/contract/names.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { RolloutInputText, StoreInput, Target } from '../../src/core/input/input.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { mapStoresAsync, roleOfPart, type PerStore, type StorePart } from '../../src/core/stores.js';
import { removeLab } from '../../src/lab/clean-up.js';
import type { LabCluster } from '../../src/lab/cluster.js';
import { startRolloutLab, type RolloutLab, type RolloutLabOptions } from '../../src/lab/rollout-lab.js';
import { removeDatabases } from '../../src/lab/start-database.js';

/** The hop of the tests: schemas change in it, and both versions can be built from the module proxy. */
export const FROM = '1.29.1';
export const TO = '1.30.7';
/** Schema versions that each of the two wants, by the catalogue. */
export const SCHEMA = {
  before: { default: '1.18', visibility: '1.9' },
  after: { default: '1.18', visibility: '1.13' },
} as const;

/** Bounds without those that a busy machine breaks by itself: nothing is tested by how fast it is. */
const PATIENT = {
  minRequests: 10,
  minBeats: 3,
  minBeatShare: 0.5,
  minLoadShare: 0.5,
  latencyFactor: 100,
  latencyRiseMs: 60_000,
  latencyMs: 60_000,
  queueLagFactor: 100,
  backlogAgeRiseSeconds: 60,
  databaseQueryMs: 10_000,
  probeGapFactor: 100,
  probeGapMs: 60_000,
} as const;

/** No gates and short waits: what is tested is what happens, not how long it is looked at. */
export const SHORT_POLICY = {
  gates: { staging: [], live: [] },
  settle: { atLeast: '5s', reason: 'test: eight shards on one machine' },
  observation: { window: '4s', beat: '2s', bounds: PATIENT, extensions: 8 },
  load: { staging: { probesPerSecond: 5 } },
  roll: { quiet: '1s', canary: 0 },
  watchLive: 0,
} as const satisfies RolloutInputText['policy'];

/** Two clusters, on {@link FROM} where no version is given, with one node a role, a database and a control plane; no worker yet. */
export async function startTestLab(
  options: Partial<Pick<RolloutLabOptions, 'version' | 'store' | 'storeTls' | 'staging' | 'live'>> = {},
): Promise<RolloutLab & { remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-upgrade-rollout-'));
  await chmod(directory, 0o711); // PostgreSQL's user has to pass through
  const tools = createToolResolver();
  const lab = await startRolloutLab({ directory, version: FROM, tools, ...options });
  return {
    ...lab,
    async remove() {
      await lab.stop();
      await removeDatabases(directory);
      await removeLab(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Of a lab what is needed to start a roll-out and to follow it. */
export interface Followed {
  readonly client: RolloutLab['client'];
  readonly live: { readonly target: { readonly name: string } };
}

/** Starts the workflow as the Temporal CLI does: whatever is given goes to it unchecked. Returns its id. */
export async function startWorkflow(lab: Followed, input: unknown, workflowId = idOf(lab)): Promise<string> {
  await lab.client.workflow.start(ROLLOUT_WORKFLOW, { workflowId, taskQueue: DEFAULT_TASK_QUEUE, args: [input] });
  return workflowId;
}

export function idOf(lab: Followed): string {
  return rolloutIdOf(lab.live.target.name);
}

/** The answer of the query `status`; undefined while nobody is there to give it. */
export async function statusNow(lab: Followed, workflowId: string): Promise<RolloutStatus | undefined> {
  try {
    return await lab.client.connection.withDeadline(Date.now() + 5_000, () =>
      lab.client.workflow.getHandle(workflowId).query<RolloutStatus>('status'),
    );
  } catch {
    return undefined;
  }
}

/** Follows the status until `wanted` says so. @throws Error when the roll-out ends or has an incident before, unless that is wanted */
export async function waitForStatus(
  lab: Followed,
  workflowId: string,
  wanted: (status: RolloutStatus) => boolean,
): Promise<RolloutStatus> {
  for (;;) {
    const status = await statusNow(lab, workflowId);
    if (status !== undefined) {
      if (wanted(status)) return status;
      if (['incident', 'aborted', 'completed'].includes(status.state))
        throw new Error(`the roll-out is ${status.state}: ${status.problem ?? JSON.stringify(status.current)}`);
    }
    await sleep(100);
  }
}

/** Polls until `fulfilled` gives something. */
export async function until<T>(fulfilled: () => Promise<T | undefined> | T | undefined, everyMs = 100): Promise<T> {
  for (;;) {
    const value = await fulfilled();
    if (value !== undefined) return value;
    await sleep(everyMs);
  }
}

/** What a roll-out may change of a cluster: schema versions as the databases have them, and which processes run. */
export async function stateOf({
  target,
  driver,
}: {
  readonly target: Target;
  readonly driver: Pick<Driver, 'listNodes'>;
}): Promise<{
  readonly schema: PerStore<string>;
  readonly nodes: readonly Pick<NodeState, 'name' | 'version' | 'instance' | 'running'>[];
}> {
  const tools = createToolResolver();
  const schemaOf = async (input: StoreInput, part: StorePart) => {
    const store = createStore(input, roleOfPart(part), tools);
    try {
      return await store.readSchemaVersion();
    } finally {
      await store.close();
    }
  };
  return {
    schema: await mapStoresAsync(target.stores, schemaOf),
    nodes: (await driver.listNodes()).map(({ name, version, instance, running }) => ({
      name,
      version,
      instance,
      running,
    })),
  };
}

/** How often each node's server was started, as its own log says. */
export async function startsOf({ nodes }: LabCluster): Promise<Record<string, number>> {
  const counted = nodes.map(async ({ name, logFile }) => {
    const log = await readFile(logFile, 'utf8');
    return [name, log.split('"Starting server for services"').length - 1] as const;
  });
  return Object.fromEntries(await Promise.all(counted));
}
