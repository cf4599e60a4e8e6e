import semver from 'semver';

/**
 * What is known of the releases of the official chart (github.com/temporalio/helm-charts), read in its tags `temporal-0.32.0` to
 * `temporal-1.6.0`: `appVersion` of Chart.yaml, and templates/server-job.yaml.
 */
interface ChartReleases {
  readonly first: string;
  readonly last: string;
  /** Minor of the server that they were made for: that of their `appVersion`. */
  readonly server: string;
}

/** In the order of their versions. Releases of 0.7x went on beside the candidates of 1.0.0. */
const CHART_RELEASES: readonly ChartReleases[] = [
  { first: '0.32.0', last: '0.35.0', server: '1.22' },
  { first: '0.36.0', last: '0.38.1', server: '1.23' },
  { first: '0.39.0', last: '0.44.0', server: '1.24' },
  { first: '0.45.0', last: '0.52.0', server: '1.25' },
  { first: '0.53.0', last: '0.55.0', server: '1.26' },
  { first: '0.56.0', last: '0.63.0', server: '1.27' },
  { first: '0.64.0', last: '0.67.0', server: '1.28' },
  { first: '0.68.0', last: '0.73.2', server: '1.29' },
  { first: '0.74.0', last: '0.74.0', server: '1.30' },
  { first: '1.0.0-rc.1', last: '1.0.0-rc.2', server: '1.29' },
  { first: '1.0.0-rc.3', last: '1.1.1', server: '1.30' },
  { first: '1.2.0', last: '1.6.0', server: '1.31' },
];

/** Whether a version of the chart is `since` or newer; one that is no version is taken for older. Candidates come before their release. */
export function isChartSince(version: string, since: string): boolean {
  const parsed = semver.parse(version);
  return parsed !== null && semver.compare(parsed, since) >= 0;
}

/** The minor of the server that a version of the chart was made for; undefined for those that are not known here. */
export function serverOfChart(version: string): string | undefined {
  return CHART_RELEASES.find(({ first, last }) => isChartSince(version, first) && isChartSince(last, version))?.server;
}

/** Versions of the chart that were made for a minor of the server, as words: `0.68.0 to 0.73.2`; undefined when none is known. */
export function chartsForServer(minor: string): string | undefined {
  const fitting = CHART_RELEASES.filter(({ server }) => server === minor);
  if (fitting.length === 0) return undefined;
  return fitting.map(({ first, last }) => (first === last ? first : `${first} to ${last}`)).join(', or ');
}

/** The version of the official chart in the label `helm.sh/chart`: `1.0.0-rc.1` for `temporal-1.0.0-rc.1`; undefined for another. */
export function chartOfLabel(label: string | undefined): string | undefined {
  const version = /^temporal-(\d.*)$/.exec(label ?? '')?.[1];
  // A label has no plus, so helm writes an underscore.
  return version === undefined ? undefined : (semver.valid(version.replace('_', '+')) ?? undefined);
}
