import type { ClusterSurvey, FrontendInfo, ProcessSurvey } from '../survey/cluster-survey.js';
import { compareVersions } from '../version.js';

/** Addresses of processes of the input that are known not to run: said once, by the check of processes. */
export function downAddresses({ nodes }: ClusterSurvey): ReadonlySet<string> {
  const states = 'seen' in nodes ? nodes.seen : [];
  return new Set(states.filter(({ running }) => !running).map(({ rpcAddress }) => rpcAddress));
}

/** Processes that run, or of which it is not known. */
export function notDown(cluster: ClusterSurvey): readonly ProcessSurvey[] {
  const down = downAddresses(cluster);
  return cluster.processes.filter(({ rpcAddress }) => !down.has(rpcAddress));
}

/** What each frontend that answered said. */
export function answersOf({ frontends }: ClusterSurvey): readonly (FrontendInfo & { readonly address: string })[] {
  return frontends.flatMap(({ address, info }) => ('seen' in info ? [{ address, ...info.seen }] : []));
}

/** Who runs which version: processes by their name, and frontends that are none of them by their address. */
export function versionsThatRun(cluster: ClusterSurvey): readonly { readonly who: string; readonly version: string }[] {
  const states = 'seen' in cluster.nodes ? cluster.nodes.seen : [];
  const nodes = states.flatMap(({ name, version }) => (version === undefined ? [] : [{ who: name, version }]));
  const others = answersOf(cluster)
    .filter(({ address }) => !states.some(({ rpcAddress }) => rpcAddress === address))
    .map(({ address, version }) => ({ who: `frontend ${address}`, version }));
  return [...nodes, ...others];
}

/** The oldest version that runs; undefined when none is known. */
export function oldestVersion(cluster: ClusterSurvey): string | undefined {
  return versionsThatRun(cluster)
    .map(({ version }) => version)
    .toSorted(compareVersions)[0];
}
