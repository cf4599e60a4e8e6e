import { z } from 'zod';
import type { KubernetesDriver } from '../../core/input/input.js';
import { ruleName } from '../../core/pods/access-rules.js';
import { hookSeconds } from '../../core/pods/stop-time.js';
import type { KubernetesSurvey, WorkloadSurvey } from '../../core/survey/kubernetes-survey.js';
import type { Seen } from '../../core/survey/seen.js';
import { look } from '../cluster/look.js';
import { deniedRules } from './access.js';
import { chartNow, surveyCharts } from './survey-charts.js';
import { createKubeApi, type KubeApi } from './api.js';
import { findWorkloads } from './find-workloads.js';
import { reconcilerOf } from './reconciler.js';
import { findPlaces } from './settings-places.js';
import { listOf } from './shapes.js';
import { isHeld, nameOfWorkload, serverContainer, type Workload } from './workload.js';

const Budgets = listOf(
  z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }).prefault({}) }),
    status: z.object({ disruptionsAllowed: z.number().default(0) }).prefault({}),
  }),
);

const Autoscalers = listOf(
  z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.object({
      scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
      minReplicas: z.number().default(1),
      maxReplicas: z.number(),
    }),
  }),
);

/** Looks at what Kubernetes says of a target, side by side; changes nothing, and never throws for what it says. */
export async function surveyKubernetes(input: KubernetesDriver, given?: KubeApi): Promise<KubernetesSurvey> {
  const { namespace } = input;
  // One that cannot even be read is said of each part.
  const ask = <T>(question: (api: KubeApi) => Promise<T>): Promise<Seen<T>> =>
    look(() => question(given ?? createKubeApi(input)));
  const found = ask((api) => findWorkloads(api, input));
  const [denied, workloads, budgets, autoscalers, unset, charts] = await Promise.all([
    ask(async (api) => (await deniedRules(api, input)).map(ruleName)),
    found.then((looked) =>
      'seen' in looked ? { seen: looked.seen.map((workload) => surveyWorkload(workload, input)) } : looked,
    ),
    ask(async (api) => {
      const { items } = Budgets.parse(await api.get(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`));
      return items.map(({ metadata: { name }, spec, status: { disruptionsAllowed } }) => ({
        name,
        labels: spec.selector.matchLabels,
        disruptionsAllowed,
      }));
    }),
    ask(async (api) => {
      const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
      const { items } = Autoscalers.parse(await api.get(path));
      return items.map(({ metadata: { name }, spec: { scaleTargetRef, minReplicas, maxReplicas } }) => ({
        name,
        target: `${scaleTargetRef.kind.toLowerCase()}/${scaleTargetRef.name}`,
        least: minReplicas,
        most: maxReplicas,
      }));
    }),
    ask(async (api) => (await findPlaces({ api, input, work: {}, leastSeconds: 0 })).unreached),
    found.then((looked) => look(() => surveyCharts(input, chartNow('seen' in looked ? looked.seen : [])))),
  ]);
  const stopSeconds = Math.ceil(input.stopTimeout / 1_000);
  const operated = input.change.by === 'operator' ? { operated: input.change.cluster } : {};
  return {
    namespace,
    change: input.change.by,
    ...operated,
    stopSeconds,
    denied,
    workloads,
    budgets,
    autoscalers,
    unset,
    ...(input.change.by === 'helm' ? { charts } : {}),
  };
}

function surveyWorkload(workload: Workload, input: KubernetesDriver): WorkloadSurvey {
  const { shape, role, wanted } = workload;
  const { spec, metadata } = shape;
  const [owner] = metadata.ownerReferences;
  const release = metadata.annotations['meta.helm.sh/release-name'];
  const reconciler = reconcilerOf(metadata);
  const server = serverContainer(spec.template.spec.containers, role, input);
  return {
    role,
    name: nameOfWorkload(workload),
    replicas: wanted,
    strategy: 'strategy' in spec ? spec.strategy.type : spec.updateStrategy.type,
    hasReadiness: server?.readinessProbe !== undefined,
    readyByHealth: server?.readinessProbe?.grpc !== undefined,
    hookSeconds: hookSeconds(server?.lifecycle?.preStop) ?? 'unknown',
    graceSeconds: spec.template.spec.terminationGracePeriodSeconds,
    labels: spec.template.metadata.labels,
    held: isHeld(workload),
    ...(owner === undefined ? {} : { owner: { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name } }),
    ...(release === undefined ? {} : { release }),
    ...(reconciler === undefined ? {} : { reconciler }),
  };
}
