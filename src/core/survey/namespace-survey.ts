import type { Seen } from './seen.js';

/** Namespaces of a cluster. A busy cluster has more of everything than can be looked at; what was cut is said. */
export interface NamespacesSurvey {
  /** How many there are, whether or not each was looked at. */
  readonly count: number;
  readonly looked: readonly NamespaceSurvey[];
}

export interface NamespaceSurvey {
  readonly name: string;
  readonly retentionSeconds: number;
  readonly isGlobal: boolean;
  /** Clusters that it is replicated to, its own among them. */
  readonly clusters: readonly string[];
  readonly archival: { readonly history: boolean; readonly visibility: boolean };
  /** Name to type. */
  readonly customSearchAttributes: Seen<Readonly<Record<string, string>>>;
  readonly running: Seen<RunningWorkflows>;
  /** Task queues of the running workflows that were listed. */
  readonly taskQueues: Seen<readonly TaskQueueSurvey[]>;
  readonly sdks: Seen<readonly SdkSurvey[]>;
}

export interface RunningWorkflows {
  /** As visibility counts them. */
  readonly count: number;
  /** How many were listed; the types are those of the listed ones. */
  readonly listed: number;
  readonly byType: Readonly<Record<string, number>>;
}

export interface TaskQueueSurvey {
  readonly name: string;
  readonly kind: 'workflow' | 'activity';
  /** Workers that polled it in the last minutes. */
  readonly pollers: number;
  /** Tasks that wait, about. */
  readonly backlog: number;
}

/** An SDK that works on a namespace. */
export interface SdkSurvey {
  readonly name: string;
  readonly version: string;
  /** `workers`: connected ones say so. `histories`: it completed a task of a workflow that still runs. */
  readonly seenIn: 'workers' | 'histories';
}
