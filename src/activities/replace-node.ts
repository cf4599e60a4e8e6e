import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import type { Driver } from '../adapters/driver.js';
import { createDriver } from '../adapters/open-target.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { NodeResult, ReplaceNodeRequest, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import { messageOf, PreconditionError, UnreachableError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { listedNodes } from '../core/input/listed-nodes.js';
import {
  bringNode,
  DidNotComeUpError,
  nodeNamed,
  UnsettledError,
  type BringOrder,
  type Brought,
} from './bring-node.js';
import { currentWork, keepForNextAttempt, keptBefore } from './guard.js';
import { waitUntilOthersRun } from './others-run.js';

/** The activity that replaces one server process of a target. */
export const createReplaceNodeActivity = ({
  tools,
}: {
  readonly tools: ToolResolver;
}): Pick<TargetActivities, 'replaceNode'> => ({
  async replaceNode(request) {
    const driver = createDriver(request.target, tools);
    const gaveUp = gaveUpBefore();
    if (gaveUp !== undefined) throw await putBack(driver, request, gaveUp);
    try {
      await prepare(driver, request);
      const brought = await bringNode(driver, orderOf(request, request.version), currentWork());
      if (request.isLast === true) await othersRun(driver, request, 'the servers of this roll are not all there');
      return resultOf(request, brought);
    } catch (error) {
      if (error instanceof DidNotComeUpError) throw await putBack(driver, request, error.message);
      if (!(error instanceof UnsettledError)) throw error;
      // It was waited for as long as is worth it; a person looks at what is around it.
      const { node, version } = request;
      throw ApplicationFailure.nonRetryable(error.message, FailureType.precondition, { node, version });
    }
  },
});

/** Nothing may be missing once the old process has gone: neither what comes, nor what it would be put back to. */
async function prepare(driver: Driver, request: ReplaceNodeRequest): Promise<void> {
  const { node, version, previous } = request;
  const work = currentWork();
  const found = nodeNamed(await driver.listNodes(), node);
  if (found.version === version) return;
  try {
    await driver.prepare(version, work);
    if (previous !== undefined) await driver.prepare(previous, work);
  } catch (error) {
    work.signal?.throwIfAborted();
    // Where it is down already, as after the death of a worker, it must not stay so for want of the new version.
    throw found.running ? error : new DidNotComeUpError(messageOf(error), { cause: error });
  }
  // One that does not run is no loss, nor is one that goes only when its successor serves.
  if (found.running && found.surge !== true) await othersRun(driver, request, `${node} was not stopped`);
}

/** What has died meanwhile is no fault of the node that is replaced, and is not tried again by itself: a person looks at it. */
async function othersRun(
  driver: Driver,
  { target, node, beside }: ReplaceNodeRequest,
  meanwhile: string,
): Promise<void> {
  try {
    await waitUntilOthersRun(driver, { target, node, beside, meanwhile }, currentWork());
  } catch (error) {
    if (!(error instanceof PreconditionError) || error instanceof UnreachableError) throw error;
    throw ApplicationFailure.nonRetryable(error.message, FailureType.precondition, error.facts);
  }
}

function orderOf({ target, node, quietMs = 0, mayBeNew }: ReplaceNodeRequest, version: string): BringOrder {
  return { target, node, version, quietMs, mayBeNew: mayBeNew === true || activityInfo().attempt > 1 };
}

/**
 * The way back of a node that did not come up, with the same care as the way there. What it is put back to is in the request,
 * so that it does not matter which attempt, or whose, does it; that an attempt before this one gave up is a short cut only.
 * @returns the failure that tells of it: `NodePutBack`, or one that is tried again when the way back failed too
 */
async function putBack(driver: Driver, request: ReplaceNodeRequest, why: string): Promise<Error> {
  const { target, node, version, previous } = request;
  const facts = { node, version, previous };
  if (previous === undefined || previous === version) return new PreconditionError(why, facts);
  const gaveUp: GaveUp = { gaveUp: version, why };
  keepForNextAttempt(gaveUp);
  const work = currentWork();
  const log = logOf(target, node, why);
  const failed = `node ${node} did not come up with ${version}:\n${why}${log}`;
  const putBackTo = `It was put back to ${previous}`;
  try {
    await driver.prepare(previous, work);
    await bringNode(driver, orderOf(request, previous), work);
  } catch (error) {
    work.signal?.throwIfAborted();
    if (!(error instanceof UnsettledError)) {
      return new PreconditionError(
        `${failed}\nIt could not be put back to ${previous} either: ${messageOf(error)}`,
        facts,
      );
    }
    return ApplicationFailure.nonRetryable(`${failed}\n${putBackTo}: ${error.message}`, FailureType.nodePutBack, facts);
  }
  return ApplicationFailure.nonRetryable(
    `${failed}\n${putBackTo}, which was proved to serve. Mend what it says, then say retry: it is replaced again`,
    FailureType.nodePutBack,
    facts,
  );
}

/** What a put-back keeps for the attempt after it. */
interface GaveUp {
  /** The version that did not come up. */
  readonly gaveUp: string;
  readonly why: string;
}

/** Why an attempt before this one gave the new version up, as far as its heartbeat still arrived. */
function gaveUpBefore(): string | undefined {
  return (keptBefore() as Partial<GaveUp> | undefined)?.why;
}

/** Where the log of a node is, unless `why` has said so. */
function logOf(target: Target, name: string, why: string): string {
  const node = listedNodes(target)?.find((one) => one.name === name);
  if (node?.logFile === undefined || why.includes(node.logFile)) return '';
  return `\nIts log is ${node.logFile}`;
}

function resultOf(
  { node, version }: ReplaceNodeRequest,
  { before, after, servesSince, changed, stillSeenBy }: Brought,
): NodeResult {
  return {
    node,
    before: before.version ?? null,
    after: after.version ?? version,
    changed,
    servingAt: new Date(servesSince).toISOString(),
    ...(stillSeenBy.length === 0 ? {} : { stillSeenBy }),
  };
}
