import { TO_FILL_IN } from './commented.js';
import type { FoundPodTarget } from './find-release.js';

/** The field `change` of a driver for pods, why it is so, and what is left to fill in. */
export interface ChangeSection {
  readonly value: object;
  readonly comment: string;
  readonly toDo: readonly string[];
}

/** How the new version is to get into the templates of the pods of a release. */
export function changeSection({ change, release }: Pick<FoundPodTarget, 'change' | 'release'>): ChangeSection {
  const { by, chart = 'not told by its labels', reconciler } = change;
  const kept =
    reconciler === undefined
      ? []
      : [
          `driver.change: ${reconciler.by} keeps its workloads (${reconciler.evidence}) and would go back: have it write the version, { by: command, … }`,
        ];
  if (by === 'operator') {
    return {
      value: { by, cluster: release.name },
      comment:
        'The TemporalCluster that its Deployments belong to. There is no way back: docs/kubernetes.md, "By temporal-operator".',
      toDo: [],
    };
  }
  if (by === 'image') {
    return {
      value: { by },
      comment:
        'No release of helm has this name, so the image is set in the workloads. Where a repository keeps them: { by: command, … }, see docs/kubernetes.md.',
      toDo: kept,
    };
  }
  const { name, namespace } = release;
  return {
    value: { by, chart: TO_FILL_IN, values: [`/${TO_FILL_IN}/values.yaml`] },
    comment: `A release of helm; its chart is ${chart}. Its own values are not taken over: all of them have to be in these files.`,
    toDo: [
      'driver.change.chart: a name of a repository that helm knows, a folder, or a file; chartVersion, where a minor needs another',
      `driver.change.values: all values files of the release; what it has: helm get values ${name} --namespace ${namespace} --output yaml`,
      ...kept,
    ],
  };
}
