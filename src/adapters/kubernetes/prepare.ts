import { PreconditionError } from '../../core/errors.js';
import { ruleName } from '../../core/pods/access-rules.js';
import { imageOfVersion, versionOfImage } from '../../core/pods/images.js';
import { deniedRules } from './access.js';
import { patiently } from './api.js';
import { pending, readRun } from './change-helm.js';
import { operatorProblems } from './check-operator.js';
import { renderProblems } from './check-render.js';
import type { Context } from './context.js';
import { findPods, type RolePods } from './find-workloads.js';
import { createHelm, type HelmChange } from './helm.js';
import { renderChart } from './render-chart.js';
import { chartNow } from './survey-charts.js';
import { isHeld, nameOfWorkload } from './workload.js';

/**
 * Checks all that a roll to `version` depends on and that can be known before: rights, workloads, that nobody else is at work,
 * and what the chart would make. Changes nothing. @throws PreconditionError with everything that is wrong
 */
export async function prepareRoll(context: Context, version: string): Promise<void> {
  const { api, input, work } = context;
  const denied = await patiently(() => deniedRules(api, input), work);
  if (denied.length > 0) {
    const lines = denied.map((rule) => `${ruleName(rule)} (for ${rule.why})`);
    throw new PreconditionError(
      `this worker may not do everything in namespace ${input.namespace}; missing: ${lines.join('; ')}. Give it the Role of service/kubernetes/role.yaml`,
      { namespace: input.namespace, missing: denied.map(ruleName) },
    );
  }
  const found = await patiently(() => findPods(api, input), work);
  const problems = found.flatMap((one) => [...imageProblems(one, context, version), ...foreignRoll(one)]);
  if (input.change.by === 'helm') problems.push(...(await helmProblems(context, found, input.change, version)));
  if (input.change.by === 'operator')
    problems.push(...(await operatorProblems(context, found, { ...input.change, version })));
  if (problems.length > 0) throw new PreconditionError(problems.join('\n'), { version });
}

function imageProblems({ workload }: RolePods, { input }: Context, version: string): string[] {
  const name = nameOfWorkload(workload);
  if (workload.version === undefined) {
    return [
      `the image ${workload.image} of ${name} does not tell its version by "images.tag" (${input.images.tag}); correct that, or list it under "images.versions"`,
    ];
  }
  const image = imageOfVersion(version, workload.image, input.images);
  if (versionOfImage(image, input.images) === version) return [];
  return [`the image ${image} of ${version} for ${name} would be read as another version; correct "images"`];
}

/** A roll that this tool has not begun: two at once would replace each other's pods. */
function foreignRoll({ workload, pods }: RolePods): string[] {
  if (isHeld(workload)) return [];
  const { shape, wanted } = workload;
  const name = nameOfWorkload(workload);
  if (shape.kind === 'Deployment' && shape.spec.paused)
    return [`${name} is paused, and not by this tool; resume it (kubectl rollout resume ${name}), or find out why`];
  if (wanted === 0) return [`${name} is scaled to no pods; scale it up first`];
  const versions = [...new Set(pods.filter(({ ending }) => !ending).map((pod) => pod.version ?? 'unknown'))];
  if (versions.length > 1) return [`${name} is in the middle of another roll: its pods run ${versions.join(' and ')}`];
  const { generation = 0 } = shape.metadata;
  if (shape.status.observedGeneration < generation) return [`the controller of ${name} has not seen its last change`];
  return [];
}

async function helmProblems(
  context: Context,
  found: readonly RolePods[],
  change: HelmChange,
  version: string,
): Promise<string[]> {
  const helm = createHelm(context.input, change);
  const workloads = found.map(({ workload }) => workload);
  const [keeper] = workloads;
  const status = await helm.status(context.work);
  const begun = keeper === undefined ? undefined : await readRun(context, keeper);
  const isOurs = begun !== undefined && status.revision === begun.revision + 1;
  if (status.status.startsWith('pending') && !isOurs) return [pending(helm.release, status).message];
  // The chart has written it, as at each node of a roll but the first: it is not asked for it again.
  if (workloads.some(isHeld) && workloads.every((one) => one.version === version)) return [];
  const place = { version, from: chartNow(workloads), work: context.work };
  const { objects, problems } = await renderChart(helm, change, place);
  if (objects === undefined) return [...problems];
  return [...problems, ...renderProblems(objects, { workloads, version, input: context.input })];
}
