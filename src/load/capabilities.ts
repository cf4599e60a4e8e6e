import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { messageOf } from '../core/errors.js';
import type { LoadMix, LoadPolicy } from '../core/input/input.js';
import { CANARY_ATTRIBUTE, CANARY_QUERY, CANARY_UPDATE } from './canary-plan.js';
import { hasCode } from './canary-target.js';
import { namespacesOf, weightsOf } from './streams.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/** Servers look at their copies of search attributes and namespaces every ten seconds; Elasticsearch takes longer. */
const USABLE_WITHIN_MS = 60_000;
const ANSWERS_IN_A_ROW = 16;

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

/** Asks the target itself, not its version: the same version does an update where its settings say so. */
export async function findCapabilities(
  connection: Connection,
  policy: LoadPolicy,
  signal?: AbortSignal,
): Promise<Capabilities> {
  const weights = weightsOf(policy);
  const { capabilities } = await connection.workflowService.getSystemInfo({});
  return {
    schedules: capabilities?.supportsSchedules === true ? null : 'the server has no schedules',
    updates: weights.updates === undefined ? null : await firstProblem(policy, (name) => probeUpdate(connection, name)),
    searchAttributes:
      weights.searchAttributes === undefined
        ? null
        : await firstProblem(policy, (name) => ensureAttribute(connection, name, signal)),
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

/** "No such workflow" means that the server would do the update; one that does not refuses before it looks. */
async function probeUpdate(connection: Connection, namespace: string): Promise<string | null> {
  try {
    await connection.workflowService.updateWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: 'is-it-usable' },
      request: { meta: { updateId: CANARY_QUERY }, input: { name: CANARY_UPDATE } },
    });
    return null;
  } catch (error) {
    if (hasCode(error, NOT_FOUND)) return null;
    return `the server refuses updates in ${namespace}: ${messageOf(error)}`;
  }
}

/** Registers the search attribute of the canaries in one of their namespaces, and waits until it can be searched for. */
async function ensureAttribute(
  connection: Connection,
  namespace: string,
  signal?: AbortSignal,
): Promise<string | null> {
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { [CANARY_ATTRIBUTE]: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
    });
  } catch (error) {
    // Older servers answer "already exists" for what is there; a refusal of another kind may still leave it usable.
    if (!hasCode(error, ALREADY_EXISTS) && !(await isSearchable(connection, namespace))) {
      return `search attribute ${CANARY_ATTRIBUTE} cannot be registered in ${namespace}: ${messageOf(error)}`;
    }
  }
  const giveUpAt = Date.now() + USABLE_WITHIN_MS;
  // Several answers in a row, as each frontend has a copy of its own.
  for (let answers = 0; answers < ANSWERS_IN_A_ROW;) {
    if (await isSearchable(connection, namespace)) {
      answers += 1;
      continue;
    }
    answers = 0;
    if (Date.now() > giveUpAt) return `visibility does not know search attribute ${CANARY_ATTRIBUTE} in ${namespace}`;
    await sleep(500, undefined, { signal });
  }
  return null;
}

async function isSearchable(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.listWorkflowExecutions({
      namespace,
      pageSize: 1,
      query: `${CANARY_ATTRIBUTE} = 'none'`,
    });
    return true;
  } catch {
    return false;
  }
}
