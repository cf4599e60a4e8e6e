import type { KubernetesDriver } from '../input/kubernetes.js';

/** One thing that the worker may have to do in the namespace of a target. */
export interface AccessRule {
  /** API group; empty for the core one. */
  readonly group: string;
  /** `deployments`, or `pods/log`. */
  readonly resource: string;
  readonly verb: string;
  /** What cannot be done without it. */
  readonly why: string;
}

/** Several verbs of one resource. */
interface Verbs extends Omit<AccessRule, 'verb'> {
  readonly verbs: readonly string[];
}

/** What every way of replacing pods needs; `service/kubernetes/role.yaml` has just these and {@link SETTINGS_RULE}. */
const ALWAYS: readonly Verbs[] = [
  {
    group: 'apps',
    resource: 'deployments',
    verbs: ['get', 'list', 'watch', 'patch'],
    why: 'finding, holding and changing them',
  },
  {
    group: 'apps',
    resource: 'statefulsets',
    verbs: ['get', 'list', 'watch', 'patch'],
    why: 'finding, holding and changing them',
  },
  { group: 'apps', resource: 'replicasets', verbs: ['list', 'watch'], why: 'seeing how far a Deployment has come' },
  {
    group: '',
    resource: 'pods',
    verbs: ['list', 'watch', 'patch', 'delete'],
    why: 'the nodes; the next to go is marked, and one of a StatefulSet is put back by deleting it',
  },
  { group: '', resource: 'pods/log', verbs: ['get'], why: 'the last lines of a pod that does not come up' },
  { group: '', resource: 'events', verbs: ['list'], why: 'why a pod does not come up' },
  {
    group: '',
    resource: 'configmaps',
    verbs: ['get'],
    why: 'the backup of the configuration, and where the dynamic one is',
  },
  { group: 'policy', resource: 'poddisruptionbudgets', verbs: ['list'], why: 'checks before a hop' },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['list'], why: 'checks before a hop' },
];

/**
 * What writing the settings of a roll needs besides; it is in the shipped Role, and no roll fails for it: without it servers drain by
 * their own settings, which the plan says.
 */
export const SETTINGS_RULE: AccessRule = {
  group: '',
  resource: 'configmaps',
  verb: 'patch',
  why: 'the settings with which servers drain',
};

const CHART = ['get', 'list', 'create', 'update', 'patch', 'delete'];

/** What helm needs besides: its releases are Secrets, and it writes every object of the chart; `service/kubernetes/role-helm.yaml`. */
const HELM: readonly Verbs[] = [
  { group: '', resource: 'secrets', verbs: CHART, why: 'helm keeps its releases in Secrets' },
  { group: '', resource: 'configmaps', verbs: CHART, why: 'objects of the chart' },
  { group: '', resource: 'services', verbs: CHART, why: 'objects of the chart' },
  { group: '', resource: 'serviceaccounts', verbs: CHART, why: 'objects of the chart' },
  { group: 'apps', resource: 'deployments', verbs: ['create', 'update', 'delete'], why: 'objects of the chart' },
];

/** What is stepped where temporal-operator makes the pods; `service/kubernetes/role-operator.yaml`. */
const OPERATOR: readonly Verbs[] = [
  {
    group: 'temporal.io',
    resource: 'temporalclusters',
    verbs: ['get', 'list', 'watch', 'patch'],
    why: 'stepping its version, and what the operator says of it',
  },
];

const MORE: Readonly<Record<KubernetesDriver['change']['by'], readonly Verbs[]>> = {
  image: [],
  command: [],
  helm: HELM,
  operator: OPERATOR,
};

/** Everything that a target's driver asks for, one verb each. */
export function accessRules(driver: Pick<KubernetesDriver, 'change'>): AccessRule[] {
  const rules = [...ALWAYS, ...MORE[driver.change.by]].flatMap(({ verbs, ...rule }) =>
    verbs.map((verb) => ({ ...rule, verb })),
  );
  return rules.filter((rule, index) => rules.findIndex((one) => ruleName(one) === ruleName(rule)) === index);
}

/** `patch deployments.apps`. */
export function ruleName({ group, resource, verb }: Pick<AccessRule, 'group' | 'resource' | 'verb'>): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
}
