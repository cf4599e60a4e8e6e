import { chartsForServer } from '../charts/chart-releases.js';
import { moveLine } from '../charts/migration.js';
import type { Finding } from '../finding.js';
import type { ChartSurvey, KubernetesSurvey } from '../survey/kubernetes-survey.js';
import { minorOf } from '../version.js';

/** What the charts of coming hops want otherwise than the operator's values have it, and whether they were made for their servers. */
export function chartFindings({ charts }: KubernetesSurvey, hop: { readonly to: string } | undefined): Finding[] {
  if (charts === undefined) return [];
  if ('unseen' in charts) {
    const found = `the chart and its values could not be looked at: ${charts.unseen}`;
    return [{ id: 'chart-unseen', severity: 'note', found, source: 'helm show chart' }];
  }
  const inHop = hop !== undefined;
  const coming = inHop
    ? charts.seen.filter(({ minor }) => minor === undefined || minor === minorOf(hop.to))
    : charts.seen;
  return coming.flatMap((chart) => [
    ...keys(chart, inHop),
    ...leftOver(chart, inHop),
    ...fit(chart, chart.minor ?? (inHop ? minorOf(hop.to) : undefined)),
  ]);
}

function keys({ version, migrates, moved }: ChartSurvey, inHop: boolean): Finding[] {
  if (moved.length === 0) return [];
  const lines = moved.map(moveLine).join('; ');
  const source = [...new Set(moved.map((move) => move.source))].join('; ');
  if (migrates) {
    const found = `helm is given your values as chart ${version} wants them: ${lines}`;
    return [{ id: 'chart-values', severity: 'note', found, source }];
  }
  const refused = moved.filter((move) => move.refused);
  const ignored = moved.filter((move) => !move.refused);
  const said = [
    ...(refused.length === 0 ? [] : [`refuses ${refused.map(({ from }) => from).join(', ')}`]),
    ...(ignored.length === 0 ? [] : [`ignores ${ignored.map(({ from }) => from).join(', ')}`]),
  ];
  return [
    {
      id: 'chart-values',
      severity: inHop && refused.length > 0 ? 'block' : 'warn',
      found: `chart ${version} ${said.join(', and ')} of your values`,
      expected: 'values in the shape of the chart that they are given to',
      action: `Write them so: ${lines}. Or let the roll-out do that for helm, "change: { by: helm, migrateValues: true }"`,
      source,
    },
  ];
}

function leftOver({ version, left }: ChartSurvey, inHop: boolean): Finding[] {
  return left.map(({ key, why, action, stops, source }) => ({
    id: 'chart-values-left',
    severity: inHop && stops ? 'block' : 'warn',
    found: `${key} with chart ${version}: ${why}`,
    expected: 'values that say the same to the new chart; only you can carry this over',
    action,
    source,
  }));
}

function fit({ version, server }: ChartSurvey, minor: string | undefined): Finding[] {
  if (server === undefined || minor === undefined || server === minor || minor === '') return [];
  const fitting = chartsForServer(minor);
  return [
    {
      id: 'chart-for-server',
      severity: 'warn',
      found: `chart ${version} was made for servers of ${server}, and is to run ${minor}`,
      expected: fitting === undefined ? `a chart whose appVersion is of ${minor}` : `chart ${fitting}`,
      action: `Name one for ${minor} in "change.chartVersion", or render it and look whether its configuration fits`,
      source: 'appVersion of Chart.yaml',
    },
  ];
}
