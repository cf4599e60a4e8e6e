import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { diagnoseConnection } from './adapters/cluster/diagnose-connection.js';
import { controlPlaneConfig, type ProfileChoice } from './adapters/connection-options.js';
import type { ReportRequest } from './contract/activities.js';
import {
  DECISION_REFUSED,
  DEFAULT_TASK_QUEUE,
  REPORT_WORKFLOW,
  ROLLOUT_WORKFLOW,
  rolloutIdOf,
  SETTLE_ACTIVITY,
} from './contract/names.js';
import type { DecisionKind, DecisionPayload } from './core/decision.js';
import type { ReportData } from './core/evidence.js';
import { PreconditionError } from './core/errors.js';
import type { IdentityGrade } from './core/identity.js';
import { parseRolloutInput, type RolloutInput, type RolloutInputText } from './core/input/input.js';
import { environmentOf } from './core/plan.js';
import type { RolloutResult, RolloutSoFar } from './core/rollout-result.js';
import { ShardPicture } from './core/shard-picture.js';
import type { RolloutStatus } from './core/status.js';
import { NoAnswerError, RequestError } from './core/request-error.js';

/** Which Temporal runs the roll-outs, as the Temporal CLI names it. */
export interface ControlPlaneOptions extends ProfileChoice {
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** What events say of who caused them; user@host when left out, as the Temporal CLI does without its prefix. */
  readonly identity?: string | undefined;
}

/** The Temporal that runs the roll-outs, as the functions below ask it. */
export type ControlPlane = Client;

/** Connects to the control plane by the same profiles and variables as the Temporal CLI. @throws RequestError */
export async function connectControlPlane(options: ControlPlaneOptions): Promise<Client> {
  const config = readProfile(options);
  const { tls } = config.connectionOptions;
  const address = options.address ?? config.connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...config.connectionOptions, address, connectTimeout: '5s' });
    const namespace = options.namespace ?? config.namespace ?? 'default';
    return new Client({ connection, namespace, identity: options.identity ?? `${userInfo().username}@${hostname()}` });
  } catch (cause) {
    const refused = refusedCall(cause, `the control plane at ${address}`);
    if (refused !== undefined) throw refused;
    const why = await diagnoseConnection(address, tls ?? undefined, TLS_SETTINGS);
    throw new RequestError(
      `no Temporal answers at ${address}${why === undefined ? '' : `: ${why}`}\nstart one with "temporal-upgrade dev", or name yours with --address or --profile`,
      { cause },
    );
  }
}

/** Lets `use` work on the control plane, and closes the connection whatever comes of it. @throws RequestError */
export async function withControlPlane<T>(
  options: ControlPlaneOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectControlPlane(options);
  try {
    return await use(client);
  } finally {
    await client.connection.close();
  }
}

const TLS_SETTINGS = 'TLS of the profile (TEMPORAL_TLS and the other TEMPORAL_TLS_* variables)';

function readProfile(options: ControlPlaneOptions): ReturnType<typeof controlPlaneConfig> {
  try {
    return controlPlaneConfig(options);
  } catch (error) {
    throw error instanceof PreconditionError ? new RequestError(error.message) : error;
  }
}

/** Whoever is asked answers, and does not let this caller do it; undefined when that is not what happened. */
function refusedCall(error: unknown, who: string): RequestError | undefined {
  const { code, details } = grpcStatusOf(error) ?? {};
  const said = details === undefined || details === '' ? '' : ` (${details})`;
  if (code === UNAUTHENTICATED)
    return new RequestError(
      `${who} does not accept these credentials${said}; check api_key or certificate of the profile, or TEMPORAL_API_KEY`,
      { cause: error },
    );
  if (code === PERMISSION_DENIED)
    return new RequestError(
      `${who} does not permit this${said}; check who you are there: api_key or certificate of the profile, and rights in the namespace`,
      { cause: error },
    );
  return undefined;
}

/** Status codes of gRPC, as they are counted there. */
const [DEADLINE_EXCEEDED, PERMISSION_DENIED, UNAVAILABLE, UNAUTHENTICATED] = [4, 7, 14, 16];

/** What gRPC said, wherever in the chain of causes it stands. */
function grpcStatusOf(error: unknown): { readonly code: number; readonly details: string } | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) if (isGrpcServiceError(each)) return each;
  return undefined;
}

/**
 * Starts a roll-out; its workflow id is `upgrade-<live target>`.
 * @throws InvalidRolloutError with every mistake, before anything is started; RequestError when one is running already
 */
export async function startRollout(
  client: Client,
  raw: RolloutInputText | RolloutInput,
  { taskQueue = DEFAULT_TASK_QUEUE }: { readonly taskQueue?: string | undefined } = {},
): Promise<{ readonly workflowId: string; readonly runId: string }> {
  const input = parseRolloutInput(raw);
  const workflowId = rolloutIdOf(input.live.name);
  try {
    const handle = await client.workflow.start(ROLLOUT_WORKFLOW, {
      workflowId,
      taskQueue,
      // What was given, not what was parsed: history shows what the operator wrote.
      args: [raw],
      staticSummary: `upgrade of ${input.live.name} to ${input.to}`,
      staticDetails: `staging **${input.staging.name}**, then live **${input.live.name}**, to **${input.to}**`,
    });
    return { workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asRequestError(error, workflowId);
    throw new RequestError(
      `a roll-out of ${input.live.name} is running already: ${workflowId}; look at it with "temporal-upgrade status ${workflowId}"`,
      { cause: error },
    );
  }
}

/**
 * Where a roll-out is. For one that is over, its last run answers as long as a worker is there. While shards settle, who owns
 * them is told by the activity that watches them.
 */
export async function queryStatus(client: Client, workflowId: string): Promise<RolloutStatus> {
  try {
    const handle = client.workflow.getHandle(workflowId);
    const status = await handle.query<RolloutStatus>('status');
    if (status.current?.phase !== 'settle') return status;
    const shards = await readShardPicture(handle);
    return shards === undefined ? status : { ...status, shards };
  } catch (error) {
    throw asRequestError(error, workflowId);
  }
}

/** The last heartbeat of the watch over the shards; undefined when none is under way or it has seen nothing yet. */
async function readShardPicture(handle: WorkflowHandle): Promise<ShardPicture | undefined> {
  const { raw } = await handle.describe();
  const watch = raw.pendingActivities?.find(({ activityType }) => activityType?.name === SETTLE_ACTIVITY);
  const [payload] = watch?.heartbeatDetails?.payloads ?? [];
  if (payload === undefined) return undefined;
  // Whatever was sent is shown only where it is a picture.
  return ShardPicture.safeParse(defaultPayloadConverter.fromPayload(payload)).data;
}

/**
 * Sends a decision as an update, which answers whether it counts; as a signal where its sender has to be proved, which an update
 * cannot do, and then waits until the roll-out tells. @throws RequestError with the reason when it does not count
 */
export async function decide(
  client: Client,
  workflowId: string,
  kind: DecisionKind,
  payload: DecisionPayload,
): Promise<string> {
  try {
    if (await isProved(client, workflowId, payload.gate))
      return await decideBySignal(client, workflowId, kind, payload);
    return await client.workflow
      .getHandle(workflowId)
      .executeUpdate<string, [DecisionPayload]>(kind, { args: [payload] });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      const type = (error.cause instanceof ApplicationFailure ? error.cause.type : undefined) ?? 'Request';
      throw new RequestError(error.cause?.message ?? error.message, { cause: error, type });
    }
    throw asRequestError(error, workflowId);
  }
}

/** Whether the policy asks for a proof of who decides. */
async function isProved(client: Client, workflowId: string, gate: string | undefined): Promise<boolean> {
  return (await identityAskedFor(client, workflowId, gate)) === 'proved';
}

/** How sure it has to be who decides, at the gate or now. */
export async function identityAskedFor(
  client: Client,
  workflowId: string,
  gate: string | undefined,
): Promise<IdentityGrade> {
  const { approval, current } = await queryStatus(client, workflowId);
  return approval?.[environmentOf(gate) ?? current?.environment ?? 'live'].identity ?? 'said';
}

async function decideBySignal(
  client: Client,
  workflowId: string,
  kind: DecisionKind,
  payload: DecisionPayload,
): Promise<string> {
  const before = (await queryStatus(client, workflowId)).decisions;
  const known = new Set(before.map((one) => JSON.stringify(one)));
  await client.workflow.getHandle(workflowId).signal<[DecisionPayload]>(kind, payload);
  const deadline = Date.now() + ANSWER_MS;
  while (Date.now() < deadline) {
    const { decisions, waiting } = await queryStatus(client, workflowId);
    // Whoever sends the very same at the very same time gets the same answer.
    const own = decisions.find(
      (one) => one.kind === kind && one.gate === payload.gate && !known.has(JSON.stringify(one)),
    );
    if (own?.refused !== undefined) throw new RequestError(own.refused, { type: DECISION_REFUSED });
    if (own !== undefined) {
      const needs = waiting?.for === 'decision' && waiting.name === payload.gate ? waiting.needs : undefined;
      return needs === undefined ? `${kind} taken` : `${kind} taken: ${needs.given.length} of ${needs.count}`;
    }
    await sleep(ANSWER_POLL_MS);
  }
  throw new RequestError(`${kind} was sent, and ${workflowId} has not told yet whether it counts; look at its status`);
}

const ANSWER_MS = 30_000;
const ANSWER_POLL_MS = 200;

/** The result of a roll-out; waits for its end. @throws RequestError with the failure when it could not be run */
export async function resultOf(client: Client, workflowId: string): Promise<RolloutResult> {
  try {
    return (await client.workflow.getHandle(workflowId).result()) as RolloutResult;
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      const { cause } = error;
      const type = (cause instanceof ApplicationFailure ? cause.type : undefined) ?? undefined;
      const named = type === undefined ? '' : `${type}: `;
      throw new RequestError(`${workflowId} could not be run. ${named}${cause?.message ?? error.message}`, {
        cause: error,
        ...(type === undefined ? {} : { type }),
      });
    }
    throw asRequestError(error, workflowId);
  }
}

/** The result of a roll-out that is over, or what it would be if it ended now. @throws RequestError when nothing is known yet */
export async function resultSoFar(client: Client, workflowId: string): Promise<RolloutSoFar> {
  if ((await executionState(client, workflowId)) !== 'RUNNING') return resultOf(client, workflowId);
  return (await askForReport(client.workflow.getHandle(workflowId))).rollout;
}

/**
 * All that is known of a roll-out, under way or over: its result so far, and what was written down near both targets. A workflow
 * of its own gathers it. @throws RequestError when nothing is known yet, or no worker answers
 */
export async function reportOf(client: Client, workflowId: string): Promise<ReportData> {
  const handle = client.workflow.getHandle(workflowId);
  const request = await askForReport(handle);
  const { status, taskQueue } = await handle.describe();
  // The last run tells less than its own result, such as why it was ended.
  const rollout = status.name === 'COMPLETED' ? await resultOf(client, workflowId) : request.rollout;
  return client.workflow.execute<(request: ReportRequest) => Promise<ReportData>>(REPORT_WORKFLOW, {
    workflowId: `${workflowId}-report-${randomUUID()}`,
    taskQueue,
    args: [{ ...request, rollout }],
    staticSummary: `report of ${workflowId}`,
    workflowExecutionTimeout: '15 minutes',
  });
}

async function askForReport(handle: WorkflowHandle): Promise<ReportRequest> {
  try {
    return await handle.query<ReportRequest>('report');
  } catch (error) {
    if (!(error instanceof QueryNotRegisteredError)) throw asRequestError(error, handle.workflowId);
    throw new RequestError(
      `there is nothing to report of ${handle.workflowId} yet; "temporal-upgrade status ${handle.workflowId}" shows where it is`,
      { cause: error },
    );
  }
}

/** Whether the workflow of a roll-out is over, and how. */
export async function executionState(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    throw asRequestError(error, workflowId, 'control plane');
  }
}

/** `asked`: who would have had to answer, when nobody did. */
function asRequestError(error: unknown, workflowId: string, asked: 'worker' | 'control plane' = 'worker'): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new RequestError(`there is no roll-out ${workflowId} here; "temporal workflow list" shows what there is`, {
      cause: error,
    });
  }
  if (error instanceof NamespaceNotFoundError) {
    return new RequestError(`there is no namespace ${error.namespace} here; name another with --namespace`, {
      cause: error,
    });
  }
  const refused = refusedCall(error, 'the control plane');
  if (refused !== undefined) return refused;
  const { code, details = '' } = grpcStatusOf(error) ?? {};
  // The server itself says so where a query finds no worker; the client's own time is over where nobody is there at all.
  const isLate = code === DEADLINE_EXCEEDED;
  const noWorker = /no poller|query.*(time|deadline)/i.test(details) || (isLate && asked === 'worker');
  if ((code === UNAVAILABLE || isLate) && !noWorker)
    return new NoAnswerError(`the control plane does not answer (${details}); is it running?`, { cause: error });
  if (noWorker) {
    return new NoAnswerError(
      `${workflowId} did not answer: is a worker running? "temporal-upgrade dev" or "temporal-upgrade worker" starts one`,
      { cause: error },
    );
  }
  return error;
}
