import { isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { TargetConnection } from './target-connection.js';

const PAGE_SIZE = 200;
/** The most that servers give at once unless they are set otherwise. */
const LARGEST_PAGE = 1_000;
/** A gRPC status code. */
const INVALID_ARGUMENT = 3;
export const RUNNING_QUERY = 'ExecutionStatus="Running"';

/** What a frontend says of its cluster. */
export interface ClusterInfo {
  readonly clusterId: string;
  readonly clusterName: string;
  /** Version of the frontend that answered, not of the other nodes. */
  readonly serverVersion: string;
  readonly historyShardCount: number;
  /** Names of the plugins, such as `postgres12`; two names joined by a comma are two visibility stores. */
  readonly persistenceStore: string;
  readonly visibilityStore: string;
  /** What the server heard of newer releases; absent where it does not call home, or never could. */
  readonly versionInfo?: { readonly recommended?: string | undefined; readonly alerts: readonly string[] } | undefined;
}

/** Asks a frontend about its cluster. @throws PreconditionError when it does not permit it */
export async function readClusterInfo(target: TargetConnection): Promise<ClusterInfo> {
  const info = await target.ask('reading cluster information', () => target.grpc.workflowService.getClusterInfo({}));
  return {
    clusterId: info.clusterId,
    clusterName: info.clusterName,
    serverVersion: info.serverVersion,
    historyShardCount: info.historyShardCount,
    persistenceStore: info.persistenceStore,
    visibilityStore: info.visibilityStore,
    versionInfo: info.versionInfo
      ? {
          recommended: info.versionInfo.recommended?.version || undefined,
          alerts: (info.versionInfo.alerts ?? []).flatMap(({ message }) => message || []),
        }
      : undefined,
  };
}

/** A namespace of the target that is not deleted. */
export interface NamespaceFacts {
  readonly name: string;
  /** How long closed workflows are kept, in seconds. */
  readonly retentionSeconds: number;
  readonly isGlobal: boolean;
  /** Clusters that it is replicated to, its own among them. */
  readonly clusters: readonly string[];
  readonly archival: { readonly history: boolean; readonly visibility: boolean };
}

/** Of `temporal.api.enums.v1.ArchivalState`. */
const ARCHIVAL_ENABLED = 2;

/** All namespaces, the server's own `temporal-system` among them, in order of name. */
export async function listNamespaces(target: TargetConnection): Promise<NamespaceFacts[]> {
  const found: NamespaceFacts[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await target.ask('listing namespaces', () =>
      target.grpc.workflowService.listNamespaces({ pageSize: PAGE_SIZE, nextPageToken }),
    );
    for (const { namespaceInfo, config, replicationConfig, isGlobalNamespace } of page.namespaces) {
      const name = namespaceInfo?.name;
      if (typeof name !== 'string' || name === '') continue;
      found.push({
        name,
        retentionSeconds: Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0),
        isGlobal: isGlobalNamespace === true,
        clusters: (replicationConfig?.clusters ?? []).flatMap(({ clusterName }) => clusterName || []),
        archival: {
          history: Number(config?.historyArchivalState) === ARCHIVAL_ENABLED,
          visibility: Number(config?.visibilityArchivalState) === ARCHIVAL_ENABLED,
        },
      });
    }
    nextPageToken = page.nextPageToken;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** How many workflows of a namespace fit a query, as visibility counts them; undefined where it only lists. */
export async function countMatching(
  target: TargetConnection,
  namespace: string,
  query: string,
): Promise<number | undefined> {
  try {
    const { count } = await target.ask(`counting workflows of ${namespace}`, () =>
      target.grpc.workflowService.countWorkflowExecutions({ namespace, query }),
    );
    return Number(count);
  } catch (error) {
    if (isRefusalToCount(error)) return undefined;
    throw error;
  }
}

/**
 * Standard visibility (servers up to 1.23) refuses every count with this: OperationNotSupportedErr of
 * common/persistence/visibility/store/errors.go.
 */
export function isRefusalToCount(error: unknown): boolean {
  if (!isGrpcServiceError(error)) return false;
  return Number(error.code) === INVALID_ARGUMENT && /^Operation not supported\b/.test(error.details);
}

/** How many workflows of a namespace are running, as visibility counts them, or lists them where it cannot count. */
export async function countRunning(target: TargetConnection, namespace: string): Promise<number> {
  const counted = await countMatching(target, namespace, RUNNING_QUERY);
  if (counted !== undefined) return counted;
  let listed = 0;
  for await (const page of listPages(target, { namespace, query: RUNNING_QUERY })) listed += page.length;
  return listed;
}

export type ListedExecution = temporal.api.workflow.v1.IWorkflowExecutionInfo;

export interface Listing {
  readonly namespace: string;
  /** All runs, where it is empty. */
  readonly query: string;
  readonly pageSize?: number | undefined;
}

/** Every run of a namespace that fits a query, page by page; some pages may be empty. */
export async function* listPages(
  target: TargetConnection,
  { namespace, query, pageSize = LARGEST_PAGE }: Listing,
): AsyncGenerator<readonly ListedExecution[]> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await target.ask(`listing workflows of ${namespace}`, () =>
      target.grpc.workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken }),
    );
    yield page.executions;
    nextPageToken = page.nextPageToken;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}

/** One run of a workflow. */
export interface RunId {
  readonly workflowId: string;
  readonly runId: string;
}

/** The first `limit` running workflows of a namespace, as visibility lists them. */
export async function listRunning(target: TargetConnection, namespace: string, limit: number): Promise<RunId[]> {
  const found: RunId[] = [];
  const listing = { namespace, query: RUNNING_QUERY, pageSize: Math.min(PAGE_SIZE, limit) };
  for await (const page of listPages(target, listing)) {
    found.push(...page.flatMap(({ execution }) => runIdOf(execution)));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

/** None of what has no ids. */
export function runIdOf(execution: ListedExecution['execution']): RunId[] {
  return execution?.workflowId && execution.runId ? [{ workflowId: execution.workflowId, runId: execution.runId }] : [];
}

/** A run of which visibility says that it is running. */
export interface RunningRun extends RunId {
  readonly type: string;
  readonly taskQueue: string;
}

/** Running workflows of a namespace, or those that fit another `query`, in one page of at most `limit`. */
export async function listRunningPage(
  target: TargetConnection,
  namespace: string,
  limit: number,
  query = RUNNING_QUERY,
): Promise<RunningRun[]> {
  const { executions } = await target.ask(`listing workflows of ${namespace}`, () =>
    target.grpc.workflowService.listWorkflowExecutions({ namespace, query, pageSize: limit }),
  );
  return executions.flatMap(({ execution, type, taskQueue }) =>
    runIdOf(execution).map((run) => ({ ...run, type: type?.name ?? '', taskQueue: taskQueue ?? '' })),
  );
}

/** In the order of `temporal.api.enums.v1.WorkflowExecutionStatus`. */
export const STATUSES = [
  'unspecified',
  'running',
  'completed',
  'failed',
  'canceled',
  'terminated',
  'continuedAsNew',
  'timedOut',
  'paused',
] as const;
/** Status of a run in the target's history store; `missing` when it has no such run. */
export type RunStatus = (typeof STATUSES)[number] | 'missing';
