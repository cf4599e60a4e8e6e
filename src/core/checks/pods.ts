import type { Finding } from '../finding.js';
import type { KubernetesSurvey, WorkloadSurvey } from '../survey/kubernetes-survey.js';
import type { Check } from '../survey/survey.js';
import { chartFindings } from './charts.js';
import { stopFindings, unsetNodes } from './pod-drain.js';
import { listed } from './words.js';

const API = 'API server of the Kubernetes cluster';
const DOCS = 'docs/kubernetes.md';

/** What of Kubernetes a roll depends on, where the servers are pods. */
export const checkPods: Check = ({ cluster: { kubernetes } }, { hop }) => {
  if (kubernetes === undefined) return [];
  const inHop = hop !== undefined;
  const { workloads } = kubernetes;
  if ('unseen' in workloads) return [unseen('the workloads of the roles', workloads.unseen, inHop)];
  return [
    ...rights(kubernetes, inHop),
    ...owners(kubernetes, workloads.seen, inHop),
    ...operatorLimits(kubernetes),
    ...reconcilers(kubernetes, workloads.seen, inHop),
    ...releases(kubernetes, workloads.seen),
    ...workloads.seen.flatMap((one) => workloadFindings(one, kubernetes)),
    ...budgets(kubernetes, workloads.seen),
    ...autoscalers(kubernetes, workloads.seen),
    ...unsetNodes(kubernetes),
    ...chartFindings(kubernetes, hop),
  ];
};

function unseen(what: string, reason: string, inHop: boolean): Finding {
  return {
    id: 'kubernetes-unseen',
    severity: inHop ? 'block' : 'warn',
    found: `${what} could not be looked at: ${reason}`,
    expected: 'an API server that answers',
    action: 'Correct what the reason names',
    source: API,
  };
}

function rights({ denied, namespace }: KubernetesSurvey, inHop: boolean): Finding[] {
  if ('unseen' in denied) return [unseen('the rights of this worker', denied.unseen, inHop)];
  if (denied.seen.length === 0) return [];
  return [
    {
      id: 'kubernetes-rights',
      severity: inHop ? 'block' : 'warn',
      found: `this worker may not ${listed(denied.seen)} in namespace ${namespace}`,
      expected: 'every right that a roll needs, before it begins',
      action:
        'Give it the Role of service/kubernetes/role.yaml (and role-helm.yaml or role-operator.yaml, where the version is changed so)',
      source: 'SelfSubjectAccessReview of each rule',
    },
  ];
}

/** A resource of an operator: whatever is written to the workload, it writes back. */
function owners({ operated }: KubernetesSurvey, workloads: readonly WorkloadSurvey[], inHop: boolean): Finding[] {
  const isStepped = ({ apiVersion, kind, name }: NonNullable<WorkloadSurvey['owner']>) =>
    kind === 'TemporalCluster' && apiVersion.startsWith('temporal.io/') && name === operated;
  const owned = workloads.filter(({ owner }) => owner !== undefined && !isStepped(owner));
  const [first] = owned;
  if (first?.owner === undefined) return [];
  const { apiVersion, kind, name } = first.owner;
  const isOperator = apiVersion.startsWith('temporal.io/');
  return [
    {
      id: 'workload-owned',
      severity: inHop ? 'block' : 'warn',
      found: `${listed(owned.map((one) => one.name))} belong to ${kind} ${name} (${apiVersion})${isOperator ? ', a resource of temporal-operator' : ''}, which makes them anew from itself`,
      expected: 'workloads that nothing but this tool changes while it rolls them',
      action: isOperator
        ? `Let the version of that resource be stepped: "change: { by: operator, cluster: ${name} }"`
        : 'Find out what writes them, and let that change the version by "change: { by: command }"',
      source: 'metadata.ownerReferences of the workloads',
    },
  ];
}

/** What temporal-operator does not do, which a plan is to say before it is begun. */
function operatorLimits({ operated }: KubernetesSurvey): Finding[] {
  if (operated === undefined) return [];
  return [
    {
      id: 'operator-limits',
      severity: 'warn',
      found: `temporal-operator takes no version back: once TemporalCluster ${operated} has that of a hop, pods that were replaced stay replaced, and one that does not come up is not put back`,
      expected: 'a way back for the servers of each hop',
      action: `Mend and retry at an incident, or go back by hand: scale the operator to no pods, and set the images of the workloads. Nor does it take a version that its release does not know; preflight asks it before each hop`,
      source: 'webhooks/temporalcluster_webhook.go of temporal-operator 0.22.0 (it takes 1.14 to 1.28)',
    },
  ];
}

function reconcilers({ change }: KubernetesSurvey, workloads: readonly WorkloadSurvey[], inHop: boolean): Finding[] {
  if (change === 'command') return [];
  return [...Map.groupBy(workloads, ({ reconciler }) => reconciler?.by)].flatMap(([by, own]): Finding[] => {
    const [{ reconciler } = {}] = own;
    if (by === undefined || reconciler === undefined) return [];
    return [
      {
        id: 'foreign-reconciler',
        severity: reconciler.always && inHop ? 'block' : 'warn',
        found: `${listed(own.map(({ name }) => name))} are kept by ${by} (${reconciler.evidence})${reconciler.always ? ', which writes the old version back' : ', which writes the old version back where it heals by itself'}`,
        expected: 'nothing that undoes the change of the version',
        action: `Let a command write the version where ${by} reads it ("change: { by: command }"), or suspend it for the roll`,
        source: DOCS,
      },
    ];
  });
}

/** helm 3 would write its own version back without a word, helm 4 refuses what another has set. */
function releases({ change }: KubernetesSurvey, workloads: readonly WorkloadSurvey[]): Finding[] {
  const own = workloads.filter(({ release }) => release !== undefined);
  if (change !== 'image' || own[0]?.release === undefined) return [];
  return [
    {
      id: 'image-of-release',
      severity: 'warn',
      found: `${listed(own.map(({ name }) => name))} belong to the release ${own[0].release} of helm, and their image is to be set beside it`,
      expected: 'one way by which the version is changed',
      action:
        'Use "change: { by: helm }"; else the next "helm upgrade" by hand has to name the new version (helm 4: with --force-conflicts), or goes back to the old one',
      source: 'annotation meta.helm.sh/release-name; helm 3.17 and 4.1',
    },
  ];
}

function workloadFindings(workload: WorkloadSurvey, { stopSeconds }: KubernetesSurvey): Finding[] {
  const { role, name, replicas, strategy, hasReadiness, held } = workload;
  const found: Finding[] = [];
  if (held) {
    found.push({
      id: 'workload-held',
      severity: 'note',
      found: `${name} is held by a roll of this tool that did not end; the next one goes on from there`,
      source: 'annotation temporal-upgrade/before',
    });
  }
  // The worker role has none in any chart: nothing calls it.
  if (!hasReadiness && role !== 'worker') {
    found.push({
      id: 'readiness-missing',
      severity: 'warn',
      found: `${name} has no readiness probe: a pod gets calls as soon as its container runs`,
      expected: 'a probe of its gRPC port at least',
      action: 'Add one; each pod is proved by itself here before the next, but clients meet it as soon as it runs',
      source: 'charts up to 0.72 have none',
    });
  }
  found.push(...stopFindings(workload, stopSeconds));
  if (strategy === 'Recreate') {
    found.push({
      id: 'strategy-recreate',
      severity: 'warn',
      found: `${name} has the strategy Recreate: all its pods would go before a new one comes`,
      expected: 'RollingUpdate',
      action: 'Nothing for this roll-out, which sets RollingUpdate for its time; every other change of it leaves a gap',
      source: API,
    });
  }
  if (replicas === 1 && role !== 'worker') {
    found.push({
      id: 'single-pod',
      severity: 'note',
      found: `${name} has one pod; its successor serves before it goes in a roll of a Deployment, but nothing stands in when it dies`,
      source: API,
    });
  }
  return found;
}

function budgets({ budgets: seen }: KubernetesSurvey, workloads: readonly WorkloadSurvey[]): Finding[] {
  if ('unseen' in seen) {
    const found = `PodDisruptionBudgets could not be looked at: ${seen.unseen}`;
    return [{ id: 'budgets-unseen', severity: 'note', found, source: API }];
  }
  const without = workloads.filter(
    ({ replicas, labels }) => replicas > 1 && !seen.seen.some((one) => covers(one, labels)),
  );
  const blocking = seen.seen.filter(
    (budget) => budget.disruptionsAllowed === 0 && workloads.some(({ labels }) => covers(budget, labels)),
  );
  return [
    ...(without.length === 0
      ? []
      : [
          {
            id: 'no-budget',
            severity: 'note' as const,
            found: `${listed(without.map(({ name }) => name))} have no PodDisruptionBudget: a node that is drained during the roll may take several of their pods at once`,
            action: 'Add one that allows one pod to be away',
            source: API,
          },
        ]),
    ...blocking.map((budget) => ({
      id: 'budget-blocks',
      severity: 'note' as const,
      found: `PodDisruptionBudget ${budget.name} allows no pod to be away now; a roll does not ask it, drains of nodes wait for it`,
      source: API,
    })),
  ];
}

function covers(
  { labels }: { readonly labels: Readonly<Record<string, string>> },
  pod: Readonly<Record<string, string>>,
) {
  const wanted = Object.entries(labels);
  return wanted.length > 0 && wanted.every(([key, value]) => pod[key] === value);
}

function autoscalers({ autoscalers: seen }: KubernetesSurvey, workloads: readonly WorkloadSurvey[]): Finding[] {
  if ('unseen' in seen) {
    const found = `autoscalers could not be looked at: ${seen.unseen}`;
    return [{ id: 'autoscalers-unseen', severity: 'note', found, source: API }];
  }
  return seen.seen
    .filter(({ target, least, most }) => least !== most && workloads.some(({ name }) => name === target))
    .map(({ name, target, least, most }): Finding => ({
      id: 'autoscaler',
      severity: 'warn',
      found: `HorizontalPodAutoscaler ${name} may change the number of pods of ${target} (${least} to ${most}) in the middle of the roll`,
      expected: 'as many pods after the roll as before it: pods that come and go in between are taken for restarts',
      action: `Set its minReplicas and maxReplicas to the present number until the roll-out is over`,
      source: API,
    }));
}
