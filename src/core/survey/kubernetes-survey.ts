import type { ValueLeft, ValueMove } from '../charts/migration.js';
import type { KubernetesChange, Role } from '../input/input.js';
import type { Seen } from './seen.js';

/** What Kubernetes says of the workloads of a target, beside its pods. Plain data, without secrets. */
export interface KubernetesSurvey {
  readonly namespace: string;
  /** How the version gets into the templates. */
  readonly change: KubernetesChange['by'];
  /** Name of the TemporalCluster whose version is stepped, where temporal-operator makes the pods. */
  readonly operated?: string | undefined;
  /** `driver.stopTimeout` of the input, in seconds. */
  readonly stopSeconds: number;
  /** Rights that the worker lacks: `patch deployments.apps`. */
  readonly denied: Seen<readonly string[]>;
  readonly workloads: Seen<readonly WorkloadSurvey[]>;
  readonly budgets: Seen<readonly BudgetSurvey[]>;
  readonly autoscalers: Seen<readonly AutoscalerSurvey[]>;
  /** Nodes for which no setting of a roll can be written, and why. Absent in what a release before it saw. */
  readonly unset?: Seen<readonly { readonly node: string; readonly reason: string }[]> | undefined;
  /** The charts that helm is to take, and what of the operator's values they want otherwise. Absent without helm. */
  readonly charts?: Seen<readonly ChartSurvey[]> | undefined;
}

/** A chart, and the keys of the operator's values that it has elsewhere; never a value. */
export interface ChartSurvey {
  /** Minor of the server that it is named for; undefined where the chart is the same for all. */
  readonly minor?: string | undefined;
  readonly version: string;
  /** Minor of the server that it was made for; undefined where it does not say. */
  readonly server?: string | undefined;
  /** Whether helm is given the values as the chart wants them (`change.migrateValues`). */
  readonly migrates: boolean;
  readonly moved: readonly ValueMove[];
  readonly left: readonly ValueLeft[];
}

/** A Deployment or StatefulSet of one role. */
export interface WorkloadSurvey {
  readonly role: Role;
  /** `deployment/temporal-history`. */
  readonly name: string;
  readonly replicas: number;
  /** `RollingUpdate`, `Recreate` or `OnDelete`. */
  readonly strategy: string;
  readonly hasReadiness: boolean;
  /** How long a pod gets to stop before it is killed. */
  readonly graceSeconds: number;
  /** Whether readiness asks the gRPC health of the server, not its port alone. Absent in what a release before it saw. */
  readonly readyByHealth?: boolean | undefined;
  /** How long its pre-stop hook takes of that, in seconds; 0 without one. Absent in what a release before it saw. */
  readonly hookSeconds?: number | 'unknown' | undefined;
  /** Labels of its pods, by which budgets find them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it is held by a roll of this tool that did not end. */
  readonly held: boolean;
  /** What it belongs to, such as a resource of an operator. */
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string } | undefined;
  /** Release of helm that it belongs to. */
  readonly release?: string | undefined;
  /** What brings it back to what stands in a repository. */
  readonly reconciler?: Reconciler | undefined;
}

export interface Reconciler {
  readonly by: 'Argo CD' | 'Flux';
  /** Whether it writes again and again what is in the repository, as far as its kind tells. */
  readonly always: boolean;
  /** Label, annotation or field manager that tells it. */
  readonly evidence: string;
}

export interface BudgetSurvey {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly disruptionsAllowed: number;
}

export interface AutoscalerSurvey {
  readonly name: string;
  /** `deployment/temporal-history`. */
  readonly target: string;
  readonly least: number;
  readonly most: number;
}
