import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Names that live in histories and in operators' scripts: chosen once. */
export const ROLLOUT_WORKFLOW = 'rollout';
export const LOAD_WORKFLOW = 'load';
export const METER_WORKFLOW = 'meter';
export const NOTICE_WORKFLOW = 'notice';
export const REPORT_WORKFLOW = 'report';
/** The activity whose heartbeat shows who owns the shards while they settle. */
export const SETTLE_ACTIVITY = 'proveSettle';
export const DEFAULT_TASK_QUEUE = 'temporal-upgrade';

/** The workflow id of a roll-out, so that Temporal itself refuses a second one for the same live target. */
export function rolloutIdOf(liveTargetName: string): string {
  return `upgrade-${liveTargetName}`;
}

/** `type` of the failures that leave an activity or the workflow; retry policies, tests and scripts match on them. */
export const FailureType = {
  /** The input does not fit its schema. Details: `[InputProblem[]]`. */
  invalidRollout: 'InvalidRollout',
  /** No path leads from the version found to the one wanted, or a finding blocks it. Details: `[Finding[]]`. */
  unsupportedPath: 'UnsupportedPath',
  /** A target is not as it has to be before anything may be changed. */
  preflightFailed: 'PreflightFailed',
  /** Another roll-out holds the cluster. Details: `[LockHolder]`. */
  clusterBusy: 'ClusterBusy',
  /** The target is the Temporal that runs the roll-out. */
  targetIsControlPlane: 'TargetIsControlPlane',
  /** Something in the world is not as expected; retried a few times, then an incident. Details: `[facts]`. */
  precondition: 'Precondition',
  /** A program of a Temporal release could not be found, fetched or built. */
  toolUnavailable: 'ToolUnavailable',
  /**
   * A node did not come up on its new version, and runs the version before again. Not retried: nothing has been mended yet.
   * Details: `[{ node, version, previous }]`.
   */
  nodePutBack: 'NodePutBack',
  /** A tool ended with an error. Details: `[{ program, exitCode, durationMs }]`. */
  commandFailed: 'CommandFailed',
} as const;

/** `type` of the failure with which an update is answered that does not count. */
export const DECISION_REFUSED = 'DecisionRefused';

/** Search attributes of a roll-out; registered on the control plane before they are used. */
export const SearchAttributes = {
  /** Name of the live target. */
  cluster: defineSearchAttributeKey('UpgradeCluster', SearchAttributeType.KEYWORD),
  /** `running`, `waiting`, `incident`, `paused`, `completed` or `aborted`. */
  state: defineSearchAttributeKey('UpgradeState', SearchAttributeType.KEYWORD),
  /** `<environment>/<version>/<phase>` */
  phase: defineSearchAttributeKey('UpgradePhase', SearchAttributeType.KEYWORD),
  /** Version that the roll-out leads to. */
  to: defineSearchAttributeKey('UpgradeTo', SearchAttributeType.KEYWORD),
} as const;

export const SEARCH_ATTRIBUTE_NAMES: readonly string[] = Object.values(SearchAttributes).map(({ name }) => name);

/**
 * Workflow id of a load or a meter of a roll-out; `mark` is that of its first run (`core/run-mark.ts`), so that it is never that of an
 * earlier roll-out with the same id, whose load or meter may be ending still.
 */
export function besideId({ workflowId }: { readonly workflowId: string }, what: string, mark: string): string {
  return `${workflowId}-${what}-${mark}`;
}
