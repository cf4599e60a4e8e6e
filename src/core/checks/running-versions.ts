import { valueOf } from '../seen.js';
import type { Survey } from '../survey.js';
import { compareVersions } from '../version.js';

/** Every server version that a frontend or a process of the target was seen to run, oldest first. */
export function runningVersions({ cluster }: Survey): string[] {
  const frontends = cluster.frontends.flatMap(({ info }) => valueOf(info)?.version ?? []);
  const processes = (valueOf(cluster.nodes) ?? []).flatMap(({ version }) => version ?? []);
  return [...new Set([...frontends, ...processes])].toSorted(compareVersions);
}
