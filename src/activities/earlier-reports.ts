import { join } from 'node:path';
import { z } from 'zod';
import { expandHome } from '../adapters/data-dir.js';
import { listIfThere, readIfThere } from '../adapters/record-file.js';
import type { ControlActivities } from '../contract/activities.js';
import type { EarlierHop } from '../core/evidence.js';
import { ENVIRONMENTS } from '../core/plan.js';
import type { RolloutSoFar } from '../core/rollout-result.js';
import { workSeconds } from '../core/status.js';

const MOST_EARLIER = 10;

/** What is read of a report.json, as `writeReport` writes it. */
const EarlierReport = z.object({
  rollout: z.object({
    rolloutId: z.string(),
    startedAt: z.string(),
    hops: z.array(
      z.object({
        environment: z.enum(ENVIRONMENTS),
        target: z.string(),
        from: z.string(),
        to: z.string(),
        startedAt: z.string(),
        outcome: z.string(),
        waitedSeconds: z.number(),
        incidents: z.number(),
        phases: z.array(z.object({ phase: z.string(), seconds: z.number() })),
      }),
    ),
  }),
});
type EarlierRollout = z.infer<typeof EarlierReport>['rollout'];

/** Folder of the report of one roll-out. */
export function reportDir(dataDir: string, { rolloutId, startedAt }: Pick<RolloutSoFar, 'rolloutId' | 'startedAt'>) {
  return join(reportsDir(dataDir), rolloutId, startedAt.replaceAll(':', '-'));
}

function reportsDir(dataDir: string): string {
  return join(expandHome(dataDir), 'reports');
}

/** Hops of the same versions as those of `rollout` in the reports of earlier roll-outs; a file that is no report is passed over. */
export async function findEarlier(
  dataDir: string,
  rollout: Parameters<ControlActivities['findEarlier']>[0]['rollout'],
): Promise<EarlierHop[]> {
  const own = reportDir(dataDir, rollout);
  const wanted = new Set(rollout.hops.map(versionsOf));
  const found: EarlierHop[] = [];
  for (const file of await reportFiles(reportsDir(dataDir))) {
    if (file.startsWith(`${own}/`)) continue;
    const earlier = readReport(await readIfThere(file));
    if (earlier === undefined || earlier.startedAt >= rollout.startedAt) continue;
    for (const hop of earlier.hops) {
      if (!wanted.has(versionsOf(hop))) continue;
      found.push({ rolloutId: earlier.rolloutId, ...hop, seconds: workSeconds(hop.phases) });
    }
  }
  found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  return [...Map.groupBy(found, versionsOf).values()].flatMap((hops) => hops.slice(0, MOST_EARLIER));
}

function versionsOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from} → ${to}`;
}

async function reportFiles(directory: string): Promise<string[]> {
  return (await listIfThere(directory, { recursive: true }))
    .filter((name) => name.endsWith('report.json'))
    .map((name) => join(directory, name));
}

function readReport(text: string): EarlierRollout | undefined {
  try {
    return EarlierReport.safeParse(JSON.parse(text)).data?.rollout;
  } catch {
    return undefined;
  }
}
