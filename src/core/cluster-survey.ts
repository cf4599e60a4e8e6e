import type { NodeState } from './cluster.js';
import type { Seen } from './seen.js';

/** Frontends, processes and rings of a target as they were seen. */
export interface ClusterSurvey {
  readonly frontends: readonly FrontendSurvey[];
  readonly nodes: Seen<readonly NodeState[]>;
}

/** One frontend, asked by itself. */
export interface FrontendSurvey {
  readonly address: string;
  readonly info: Seen<{ readonly clusterId: string; readonly version: string; readonly historyShardCount: number }>;
}
