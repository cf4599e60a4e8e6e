import { chartOfLabel } from '../../core/charts/chart-releases.js';
import type { KubernetesDriver } from '../../core/input/input.js';
import type { ChartSurvey } from '../../core/survey/kubernetes-survey.js';
import { minorOf } from '../../core/version.js';
import { createHelm } from './helm.js';
import type { Workload } from './workload.js';

/** The version of the official chart that made the workloads, by the label of their pods; undefined for another chart. */
export function chartNow(workloads: readonly Workload[]): string | undefined {
  return chartOfLabel(workloads[0]?.shape.spec.template.metadata.labels['helm.sh/chart']);
}

/**
 * Asks helm for the charts that an input names, side by side, and looks what of the values each wants otherwise. Needs no API server.
 * @throws PreconditionError for a chart or a values file that cannot be read
 */
export async function surveyCharts(input: KubernetesDriver, from: string | undefined): Promise<ChartSurvey[]> {
  const { change } = input;
  if (change.by !== 'helm') return [];
  const helm = createHelm(input, change);
  const minors = Object.keys(change.chartVersion);
  // Where none is named for a minor, all of them get the same chart.
  return Promise.all(
    (minors.length === 0 ? [undefined] : minors).map(async (minor): Promise<ChartSurvey> => {
      const { chart, moved, left } = await helm.planValues(`${minor ?? '0.0'}.0`, from);
      return {
        ...(minor === undefined ? {} : { minor }),
        version: chart.version,
        ...(chart.appVersion === undefined ? {} : { server: minorOf(chart.appVersion.replace(/^v/, '')) }),
        migrates: change.migrateValues,
        moved,
        left,
      };
    }),
  );
}
