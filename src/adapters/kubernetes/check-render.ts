import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { KubernetesDriver } from '../../core/input/input.js';
import { versionOfImage } from '../../core/pods/images.js';
import { nameOfWorkload, serverContainer, type Workload } from './workload.js';

const Rendered = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z
    .looseObject({
      replicas: z.number().optional(),
      template: z
        .looseObject({
          spec: z.looseObject({
            containers: z.array(z.looseObject({ name: z.string(), image: z.string() })),
            initContainers: z.array(z.unknown()).nullish(),
          }),
        })
        .optional(),
    })
    .optional(),
});

/**
 * What is wrong with the objects that a chart renders for a version, as far as it would be found out too late: a workload that is
 * not there, that keeps its image or changes its number of pods, and a Job that would bring the schema beside the servers.
 */
export function renderProblems(
  rendered: string,
  { workloads, version, input }: { workloads: readonly Workload[]; version: string; input: KubernetesDriver },
): string[] {
  const objects = parseAllDocuments(rendered).flatMap((document) => {
    const parsed = Rendered.safeParse(document.toJS());
    return parsed.success ? [parsed.data] : [];
  });
  const jobs = objects.filter((one) => one.kind === 'Job' && !isIdle(one)).map(({ metadata }) => metadata.name);
  return [
    ...jobs.map(
      (name) =>
        `the chart would run the Job ${name} beside the servers. The roll-out brings the schema itself: turn it off in your values (schema.setup.enabled and schema.update.enabled, or createDatabase and manageSchema of each store: false)`,
    ),
    ...workloads.flatMap((workload) => workloadProblems(workload, objects, { version, input })),
  ];
}

/** Charts from 1.0.0-rc.1 on have their job also when all its steps are off: it prints a line (templates/server-job.yaml of 1.0.0). */
function isIdle({ spec }: z.infer<typeof Rendered>): boolean {
  const pod = spec?.template?.spec;
  if (pod === undefined || (pod.initContainers ?? []).length > 0) return false;
  return pod.containers.every(({ name }) => name === 'done');
}

function workloadProblems(
  workload: Workload,
  objects: readonly z.infer<typeof Rendered>[],
  { version, input }: { readonly version: string; readonly input: KubernetesDriver },
): string[] {
  const name = nameOfWorkload(workload);
  const found = objects.find(({ kind, metadata }) => kind === workload.shape.kind && metadata.name === workload.name);
  if (found?.spec?.template === undefined)
    return [`the chart renders no ${name} with your values; it would be deleted`];
  const image = serverContainer(found.spec.template.spec.containers, workload.role, input)?.image ?? 'none';
  const { replicas } = found.spec;
  return [
    ...(versionOfImage(image, input.images) === version
      ? []
      : [`the chart renders the image ${image} for ${name}, not one of ${version}; correct "change.set"`]),
    ...(replicas === undefined || replicas === workload.wanted
      ? []
      : [
          `the chart renders ${replicas} pods for ${name}, which is to have ${workload.wanted}; make the values say that`,
        ]),
  ];
}
