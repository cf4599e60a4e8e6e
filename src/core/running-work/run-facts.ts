/**
 * What a server says of one running workflow, as far as it tells whether that should have gone on. All moments are
 * milliseconds since 1970 by the server's clock; null where the server gives none.
 */
export interface RunFacts {
  /** False also for a run that is paused: nothing is expected of it. */
  readonly running: boolean;
  /** Worker versioning decides which workers may have its tasks; who waits for whom is then not seen from outside. */
  readonly versioned: boolean;
  readonly taskQueue: string;
  /** When its first workflow task comes: later than its start with a cron schedule, a start delay or a retry. */
  readonly beginsAt: number | null;
  /** When the server ends it for its timeout; null without one. */
  readonly expiresAt: number | null;
  readonly workflowTask: WorkflowTaskFacts | null;
  readonly activities: readonly ActivityFacts[];
  /** Null when the history was not read. */
  readonly history: HistoryFacts | null;
}

export interface WorkflowTaskFacts {
  readonly state: 'scheduled' | 'started';
  readonly scheduledAt: number | null;
  readonly startedAt: number | null;
  readonly attempt: number;
  /** How long a worker may have it. */
  readonly timeoutMs: number | null;
}

export interface ActivityFacts {
  readonly id: string;
  /** `other` is paused, or about to be cancelled. */
  readonly state: 'scheduled' | 'started' | 'other';
  /** When this attempt is due, or was: it lies in the future while a failed activity backs off. */
  readonly scheduledAt: number | null;
  readonly startedAt: number | null;
  readonly heartbeatAt: number | null;
  /** Null where neither server nor history names them. */
  readonly taskQueue: string | null;
  readonly startToCloseMs: number | null;
  readonly heartbeatTimeoutMs: number | null;
}

export interface HistoryFacts {
  /** Started, and neither fired nor cancelled. */
  readonly openTimers: readonly { readonly id: string; readonly dueAt: number }[];
  /** Whether a workflow task was ever scheduled. */
  readonly hadWorkflowTask: boolean;
}

/** What matching says of one task queue, all its partitions together. */
export interface QueueFacts {
  /** Pollers that asked for a task within the last two minutes. */
  readonly pollers: number;
  /** Tasks that it has and has not handed out; the larger one of its counts. */
  readonly backlog: number;
  /** Worker versioning is used on it. */
  readonly versioned: boolean;
}

export type QueueKind = 'workflow' | 'activity';

/** Name of a task queue among queue facts: each name has two queues, one for each kind of task. */
export function queueKey(kind: QueueKind, name: string): string {
  return `${kind}/${name}`;
}
