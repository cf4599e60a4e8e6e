import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { hasCode } from '../adapters/cluster/target-connection.js';
import { messageOf } from '../core/errors.js';
import type { LoadMix, LoadPolicy } from '../core/input/input.js';
import { namespacesOf } from '../core/input/load-namespaces.js';
import { answersInARow } from './answers-in-a-row.js';
import { CANARY_ATTRIBUTE, CANARY_QUERY, CANARY_UPDATE } from './canary-plan.js';
import { weightsOf } from './streams.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/**
 * By these gRPC status codes a server says that it does not do a thing here, whoever asks and whenever: 3 INVALID_ARGUMENT,
 * 7 PERMISSION_DENIED (what updates are refused with where they are switched off, 1.20 to 1.32: service/frontend/errors.go),
 * 9 FAILED_PRECONDITION, 12 UNIMPLEMENTED. All others may be those of a bad moment.
 */
const REFUSALS = [INVALID_ARGUMENT, 7, 9, 12];
/** Of each question; the SDK's retries are within it. */
const CALL_DEADLINE_MS = 30_000;

/** What of a profile the target can do: why not, or null. */
export interface Capabilities {
  readonly schedules: string | null;
  readonly updates: string | null;
  readonly searchAttributes: string | null;
}

/** What is started of the mix, and what is not, with the reason. */
export interface Feasible {
  readonly mix: LoadMix;
  readonly schedule: boolean;
  readonly leftOut: readonly string[];
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long visibility may take until it knows a new search attribute, in milliseconds; a minute when left out. */
  readonly usableWithinMs?: number;
}

/**
 * Asks the target itself, not its version: the same version does an update where its settings say so.
 * @throws when it does not say: an outage is no reason to leave anything out for as long as this load runs
 */
export async function findCapabilities(
  connection: Connection,
  policy: LoadPolicy,
  options: AskOptions = {},
): Promise<Capabilities> {
  const weights = weightsOf(policy);
  const { capabilities } = await within(connection, () => connection.workflowService.getSystemInfo({}));
  return {
    schedules: capabilities?.supportsSchedules === true ? null : 'the server has no schedules',
    updates: weights.updates === undefined ? null : await firstProblem(policy, (name) => probeUpdate(connection, name)),
    searchAttributes:
      weights.searchAttributes === undefined
        ? null
        : await firstProblem(policy, (name) => ensureAttribute(connection, name, options)),
  };
}

/** A profile cut down to what the target can do. What is left out is said, never passed over. */
export function cutDown(policy: LoadPolicy, capabilities: Capabilities): Feasible {
  const { updates, searchAttributes, ...rest } = weightsOf(policy);
  const leftOut: string[] = [];
  const keep = (name: string, wanted: boolean, problem: string | null): boolean => {
    if (wanted && problem !== null) leftOut.push(`${name} (${problem})`);
    return wanted && problem === null;
  };
  const mix: LoadMix = {
    ...rest,
    ...(keep('updates', updates !== undefined, capabilities.updates) ? { updates } : {}),
    ...(keep('searchAttributes', searchAttributes !== undefined, capabilities.searchAttributes)
      ? { searchAttributes }
      : {}),
  };
  const schedule = keep('scheduleEvery', policy.scheduleEvery !== undefined, capabilities.schedules);
  // A load that starts nothing proves nothing: what every server can do stands in.
  const nothing = Object.keys(mix).length === 0 && Object.keys(weightsOf(policy)).length > 0;
  if (nothing) leftOut.push('nothing of the mix is left: steps instead');
  return { mix: nothing ? { steps: 1 } : mix, schedule, leftOut };
}

async function firstProblem(
  policy: LoadPolicy,
  look: (namespace: string) => Promise<string | null>,
): Promise<string | null> {
  for (const namespace of namespacesOf(policy)) {
    const problem = await look(namespace);
    if (problem !== null) return problem;
  }
  return null;
}

function within<T>(connection: Connection, call: () => Promise<T>): Promise<T> {
  return connection.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
}

function isRefusal(error: unknown): boolean {
  return REFUSALS.some((code) => hasCode(error, code));
}

/** "No such workflow" means that the server would do the update; one that does not refuses before it looks. */
async function probeUpdate(connection: Connection, namespace: string): Promise<string | null> {
  try {
    await within(connection, () =>
      connection.workflowService.updateWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: 'is-it-usable' },
        request: { meta: { updateId: CANARY_QUERY }, input: { name: CANARY_UPDATE } },
      }),
    );
    return null;
  } catch (error) {
    if (hasCode(error, NOT_FOUND)) return null;
    if (!isRefusal(error)) throw error;
    return `the server refuses updates in ${namespace}: ${messageOf(error)}`;
  }
}

/** Registers the search attribute of the canaries in one of their namespaces, and waits until it can be searched for. */
async function ensureAttribute(
  connection: Connection,
  namespace: string,
  { signal, usableWithinMs: withinMs }: AskOptions,
): Promise<string | null> {
  try {
    await within(connection, () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { [CANARY_ATTRIBUTE]: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
      }),
    );
  } catch (error) {
    // Older servers answer "already exists" for what is there; a refusal of another kind may still leave it usable.
    if (!hasCode(error, ALREADY_EXISTS)) {
      const usable = await isSearchable(connection, namespace);
      if (!usable && !isRefusal(error)) throw error;
      if (!usable)
        return `search attribute ${CANARY_ATTRIBUTE} cannot be registered in ${namespace}: ${messageOf(error)}`;
    }
  }
  if (await answersInARow(() => isSearchable(connection, namespace), { signal, withinMs })) return null;
  return `visibility does not know search attribute ${CANARY_ATTRIBUTE} in ${namespace}`;
}

/** @throws when the server does not say whether it knows the attribute */
async function isSearchable(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await within(connection, () =>
      connection.workflowService.listWorkflowExecutions({
        namespace,
        pageSize: 1,
        query: `${CANARY_ATTRIBUTE} = 'none'`,
      }),
    );
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
