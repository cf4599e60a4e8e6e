import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { notDown, answersOf } from './who-runs.js';
import { listed, unseenOf } from './words.js';

/** The program on the disk, the build that its metrics name and what its frontend says are one version. */
export const checkBuilds: Check = ({ cluster }) => {
  const states = 'seen' in cluster.nodes ? cluster.nodes.seen : [];
  const answers = answersOf(cluster);
  return cluster.processes.flatMap(({ name, rpcAddress, metrics }): Finding[] => {
    const binary = states.find((state) => state.name === name)?.version;
    if (binary === undefined) return [];
    const built = 'seen' in metrics ? metrics.seen.buildVersion : undefined;
    const answered = answers.find(({ address }) => address === rpcAddress)?.version;
    const others = [
      ...(built === undefined || built === binary ? [] : [`its build_information says ${built}`]),
      ...(answered === undefined || answered === binary ? [] : [`its frontend says ${answered}`]),
    ];
    if (others.length === 0) return [];
    return [
      {
        id: 'build-differs',
        severity: 'warn',
        found: `the program of ${name} is ${binary}, but ${listed(others)}`,
        expected: 'one version',
        action: 'See whether address and metrics address of the input are those of this process',
        source: 'build_information of /metrics, GetClusterInfo, and --version of /proc/PID/exe',
      },
    ];
  });
};

/** Metrics tell of builds, shards and stores; without them nothing of that is known. */
export const checkMetricsSeen: Check = ({ cluster }) =>
  [
    ...unseenOf(
      notDown(cluster),
      ({ metrics }) => metrics,
      ({ name }) => name,
    ),
  ].map(([reason, names]) => ({
    id: 'metrics-unseen',
    severity: 'warn',
    found: `there are no metrics of ${listed(names)}: ${reason}`,
    expected: 'a page of Prometheus text of every process',
    action: 'Set global.metrics.prometheus.listenAddress of the server and "metricsAddress" of the input',
    source: '/metrics of each process',
  }));
