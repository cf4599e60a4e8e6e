import type { SdkSurvey } from '../../core/survey/namespace-survey.js';
import { mapAtMost } from './look.js';
import type { RunningRun } from './target-cluster.js';
import { grpcCodeOf, type TargetConnection } from './target-connection.js';

/** Histories to read of a namespace, one of each type of workflow. */
const HISTORIES = 5;
/** The SDK's name and version stand in the first workflow task that it completed, and that is near the start. */
const EVENTS = 10;
const AT_ONCE = 4;
const CALL_TIMEOUT_MS = 3_000;
const WORKERS = 200;
/** Task queues of the workers that the server itself has in each namespace (common/primitives of the server). */
const SERVERS_OWN = 'temporal-sys-';
/** gRPC codes of a server that has no such call, or does not let everybody make it. */
const NOT_ASKED = [3, 7, 12];

/** SDKs that work on a namespace: as its workers say (servers from 1.29 on know), and as histories of what runs tell. */
export async function readSdks(
  target: TargetConnection,
  namespace: string,
  runs: readonly RunningRun[],
): Promise<SdkSurvey[]> {
  const oneOfEach = [...new Map(runs.map((run) => [run.type, run])).values()].slice(0, HISTORIES);
  const [workers, histories] = await Promise.all([
    fromWorkers(target, namespace),
    mapAtMost(AT_ONCE, oneOfEach, (run) => fromHistory(target, namespace, run)),
  ]);
  const found = new Map<string, SdkSurvey>();
  // Workers first: they are connected now.
  for (const sdk of [...workers, ...histories.flat()]) {
    const key = `${sdk.name} ${sdk.version}`;
    if (!found.has(key)) found.set(key, sdk);
  }
  return [...found.values()];
}

async function fromWorkers(target: TargetConnection, namespace: string): Promise<SdkSurvey[]> {
  try {
    const { workersInfo, workers } = await target.ask(
      `listing workers of ${namespace}`,
      () => target.grpc.workflowService.listWorkers({ namespace, pageSize: WORKERS }),
      CALL_TIMEOUT_MS,
    );
    const told = [...(workersInfo ?? []).map(({ workerHeartbeat }) => workerHeartbeat), ...(workers ?? [])];
    return told
      .filter((worker) => worker?.taskQueue?.startsWith(SERVERS_OWN) !== true)
      .flatMap((worker) => sdkOf(worker?.sdkName, worker?.sdkVersion, 'workers'));
  } catch (error) {
    const code = grpcCodeOf(error);
    if (code !== undefined && NOT_ASKED.includes(code)) return [];
    throw error;
  }
}

async function fromHistory(target: TargetConnection, namespace: string, run: RunningRun): Promise<SdkSurvey[]> {
  const { history } = await target.ask(
    `reading the history of ${run.workflowId} of ${namespace}`,
    () =>
      target.grpc.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: run.workflowId, runId: run.runId },
        maximumPageSize: EVENTS,
      }),
    CALL_TIMEOUT_MS,
  );
  return (history?.events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
    sdkOf(completed?.sdkMetadata?.sdkName, completed?.sdkMetadata?.sdkVersion, 'histories'),
  );
}

function sdkOf(
  name: string | null | undefined,
  version: string | null | undefined,
  seenIn: SdkSurvey['seenIn'],
): SdkSurvey[] {
  return name && version ? [{ name, version, seenIn }] : [];
}
