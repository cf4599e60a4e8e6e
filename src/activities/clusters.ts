import { ApplicationFailure, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { claim, readClaim, release, type LockHolder } from '../adapters/cluster/cluster-lock.js';
import { nodeHealthInAllViews, ringViews } from '../adapters/cluster/cluster-view.js';
import { inspectTarget } from '../adapters/cluster/inspect-target.js';
import { withTarget } from '../adapters/open-target.js';
import { readClusterInfo } from '../adapters/cluster/target-cluster.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import { createTdbg } from '../adapters/cluster/tdbg.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { Holder, HopPlace, HopSchema, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import type { ClusterFacts } from '../core/cluster.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input.js';
import { compareSchemaVersions } from '../core/version.js';
import { currentWork, reportProgress } from './guard.js';

type ClusterActivities = Pick<
  TargetActivities,
  'inspectTarget' | 'bringTools' | 'claimTarget' | 'releaseTarget' | 'preflight'
>;

/** Activities that look at a target as a whole, and take hold of it. */
export const createClusterActivities = ({ tools }: { readonly tools: ToolResolver }): ClusterActivities => ({
  async inspectTarget({ target, controlPlaneClusterId }) {
    try {
      const { clusterId } = await withFrontend(target.connection, (frontend) => readClusterInfo(frontend));
      if (clusterId === controlPlaneClusterId) throw targetIsControlPlane(target, clusterId);
      const facts = await inspectTarget(target, tools);
      requireStatedVersion(target, facts);
      return facts;
    } catch (error) {
      if (!(error instanceof PreconditionError)) throw error;
      throw ApplicationFailure.create({ type: FailureType.preflightFailed, message: error.message, cause: error });
    }
  },

  async bringTools({ target, versions }) {
    const work = currentWork();
    await withTarget(target, tools, async ({ driver, stores }) => {
      for (const version of versions) {
        await driver.prepare(version, work);
        for (const store of Object.values(stores)) await store.prepareUpdate(version, work);
        await tools.serverTool('tdbg', version, work);
      }
    });
  },

  async claimTarget({ target, holder }) {
    await withFrontend(target.connection, async (frontend) => {
      const first = await claim(frontend, holder);
      if (first.claimed) return;
      // A roll-out that was terminated could not let go; its control plane knows that it is over.
      if (first.holder !== 'unknown' && (await isOver(first.holder, holder))) await release(frontend, first.holder);
      const second = await claim(frontend, holder);
      if (second.claimed) return;
      throw ApplicationFailure.create({
        type: FailureType.clusterBusy,
        message: second.message,
        nonRetryable: true,
        details: [second.holder],
      });
    });
  },

  async releaseTarget({ target, holder }) {
    await withFrontend(target.connection, (frontend) => release(frontend, holder));
  },

  async preflight({ schema, holder, ...place }) {
    const { target, from, to } = place;
    try {
      const facts = await inspectTarget(target, tools);
      const problems = [
        ...versionProblems(place, facts),
        ...schemaProblems(target, schema, facts),
        ...(await claimProblems(target, holder)),
        ...(await toolProblems(place, tools)),
      ];
      if (problems.length === 0) problems.push(...(await healthProblems(target, facts, to, tools)));
      if (problems.length > 0) throw new PreconditionError(problems.join('\n'));
      return {
        facts,
        lines: [
          `${facts.nodes.length} nodes SERVING on ${[...new Set(facts.nodes.map(({ version }) => version))].join(' and ')}`,
          `${facts.historyShardCount} shards`,
          `schema ${facts.stores.default.schemaVersion} and ${facts.stores.visibility.schemaVersion} on ${facts.stores.default.product}`,
          `tools of ${to} at hand`,
        ],
      };
    } catch (error) {
      if (!(error instanceof PreconditionError)) throw error;
      throw ApplicationFailure.create({
        type: FailureType.preflightFailed,
        message: `preflight of ${target.name} from ${from} to ${to}:\n${error.message}`,
        cause: error,
      });
    }
  },
});

/** Whether the roll-out that holds the cluster has ended; false when it belongs to another control plane. */
async function isOver(held: LockHolder, own: Holder): Promise<boolean> {
  const sameControlPlane =
    held.controlPlaneClusterId === own.controlPlaneClusterId &&
    held.controlPlaneNamespace === own.controlPlaneNamespace;
  if (!sameControlPlane) return false;
  try {
    const execution = await getClient()
      .workflow.getHandle(held.workflowId, undefined, { firstExecutionRunId: held.firstRunId })
      .describe();
    const chain = execution.raw.workflowExecutionInfo?.firstRunId;
    return execution.status.name !== 'RUNNING' || (chain !== undefined && chain !== '' && chain !== held.firstRunId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}

function targetIsControlPlane({ name }: Target, clusterId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${name} is the Temporal that runs this roll-out (cluster ${clusterId}); it would take itself down. ` +
      'Run the roll-out on another control plane, such as the one of "temporal-upgrade dev"',
    FailureType.targetIsControlPlane,
  );
}

/** Only before the first hop: after it the version is another than the one stated. */
function requireStatedVersion({ name, version }: Target, { frontends }: ClusterFacts): void {
  const other = frontends.find((frontend) => version !== undefined && frontend.version !== version);
  if (other === undefined) return;
  throw new PreconditionError(
    `frontend ${other.address} of ${name} runs ${other.version}, but the input says ${version}; correct "version", or leave it out`,
  );
}

function versionProblems({ target, from, to }: HopPlace, { frontends, nodes }: ClusterFacts): string[] {
  const expected = [from, to];
  const found = [
    ...frontends.map(({ address, version }) => ({ what: `frontend ${address}`, version })),
    ...nodes.map(({ name, version }) => ({ what: `node ${name}`, version: version ?? 'nothing' })),
  ];
  return found
    .filter(({ version }) => !expected.includes(version))
    .map(
      ({ what, version }) =>
        `${what} of ${target.name} runs ${version}, expected ${from} (or ${to}, where the hop was begun)`,
    );
}

function schemaProblems({ name }: Target, schema: HopSchema, { stores }: ClusterFacts): string[] {
  return (['default', 'visibility'] as const).flatMap((store) => {
    const { from, to } = schema[store];
    const { schemaVersion, database } = stores[store];
    if (compareSchemaVersions(schemaVersion, from) < 0) {
      return [
        `the ${store} schema of ${name} (database ${database}) is ${schemaVersion}, behind ${from}, which its servers want; bring it there first`,
      ];
    }
    if (compareSchemaVersions(schemaVersion, to) > 0) {
      return [
        `the ${store} schema of ${name} (database ${database}) is ${schemaVersion}, ahead of ${to}, which this hop leads to; plan from the version that it belongs to`,
      ];
    }
    return [];
  });
}

async function claimProblems(target: Target, holder: Holder): Promise<string[]> {
  const held = await withFrontend(target.connection, (frontend) => readClaim(frontend));
  if (
    held !== undefined &&
    held !== 'unknown' &&
    held.workflowId === holder.workflowId &&
    held.firstRunId === holder.firstRunId
  )
    return [];
  return [
    held === undefined
      ? `the lock of this roll-out on ${target.name} was taken away; another may be at work. Abort, and start again`
      : `${target.name} is held by ${held === 'unknown' ? 'something unknown' : held.workflowId}`,
  ];
}

/** Brings what the hop will need, and looks whether its backup fits: what can fail now must not fail half-way. */
async function toolProblems({ target, to }: HopPlace, tools: ToolResolver): Promise<string[]> {
  const work = currentWork();
  return withTarget(target, tools, async ({ driver, stores }) => {
    const problems: string[] = [];
    const checks = [
      () => driver.prepare(to, work),
      () => stores.default.prepareUpdate(to, work),
      () => stores.visibility.prepareUpdate(to, work),
      () => tools.serverTool('tdbg', to, work),
      () => stores.default.checkBackupSpace(target.backupDir),
      () => stores.visibility.checkBackupSpace(target.backupDir),
    ];
    for (const check of checks) {
      try {
        await check();
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    return [...new Set(problems)]; // what both stores lack, once
  });
}

async function healthProblems(
  target: Target,
  { nodes }: ClusterFacts,
  version: string,
  tools: ToolResolver,
): Promise<string[]> {
  const tdbg = await createTdbg({ connection: target.connection, version, tools });
  const views = await ringViews(target, tdbg);
  const health = await Promise.all(nodes.map((node) => nodeHealthInAllViews(target, node, views)));
  reportProgress({ serving: health.filter(({ serving }) => serving).length, of: nodes.length });
  const known = new Set(nodes.map(({ rpcAddress }) => rpcAddress));
  const strangers = views.flatMap(({ frontend, rings }) =>
    Object.entries(rings).flatMap(([role, members]) =>
      members
        .filter((member) => !known.has(member))
        .map(
          (member) =>
            `frontend ${frontend} sees a ${role} at ${member} that the input does not name; it would not be upgraded`,
        ),
    ),
  );
  return [...health.filter(({ serving }) => !serving).map(({ evidence }) => evidence), ...new Set(strangers)];
}
