import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { HELM_RUN } from './annotations.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { readWorkload } from './find-workloads.js';
import { createHelm, type Helm, type HelmChange } from './helm.js';
import { showStrategyBefore } from './hold.js';
import { nameOfWorkload, type Workload } from './workload.js';

const LOOK_MS = 1_000;
/** A helm whose worker was killed goes on by itself, and is done in seconds. */
const ORPHAN_MS = 60_000;

/** Written down before helm is run. */
const Run = z.object({ revision: z.number(), version: z.string() });
type Run = z.infer<typeof Run>;

/**
 * Brings the version into all templates by `helm upgrade`, while every server workload is held: its exit code says nothing of pods.
 * A run of ours that was killed is taken up; a release that somebody else left pending is named.
 */
export async function upgradeRelease(
  context: Context,
  held: readonly Workload[],
  change: HelmChange & { readonly version: string },
): Promise<void> {
  const { api, input, work } = context;
  const [keeper] = held;
  if (keeper === undefined) return;
  const helm = createHelm(input, change);
  const begun = await readRun(context, keeper);
  const { revision } = await takeUp(helm, begun, context);
  const run: Run = { revision, version: change.version };
  await api.patch(keeper.path, { metadata: { annotations: { [HELM_RUN]: JSON.stringify(run) } } }, 'merge', work);
  // helm 4 applies on the server's side and refuses what another has set to something else.
  for (const one of held) await showStrategyBefore(context, await patiently(() => readWorkload(api, input, one), work));
  work.onProgress?.(`helm upgrade of release ${helm.release} to ${change.version}`);
  await helm.upgrade(change.version, work);
  await api.patch(keeper.path, { metadata: { annotations: { [HELM_RUN]: null } } }, 'merge', work);
}

/** The release as one that can be upgraded. @throws PreconditionError when somebody else's run of helm is under way, or left it pending */
async function takeUp(helm: Helm, begun: Run | undefined, { work }: Context) {
  const end = Date.now() + ORPHAN_MS;
  for (;;) {
    const found = await helm.status(work);
    if (!found.status.startsWith('pending')) return found;
    if (begun === undefined || found.revision !== begun.revision + 1) throw pending(helm.release, found);
    if (Date.now() >= end) {
      work.onProgress?.(
        `release ${helm.release} was left ${found.status} by a run that was killed; it is put back first`,
      );
      await helm.rollback(begun.revision, work);
      return helm.status(work);
    }
    work.onProgress?.(`release ${helm.release} is ${found.status}, by a run of helm that is under way`);
    await sleep(LOOK_MS, undefined, { signal: work.signal });
  }
}

/** What is to be said of a release that is pending. */
export function pending(
  release: string,
  { status, revision }: { status: string; revision: number },
): PreconditionError {
  return new PreconditionError(
    `release ${release} is ${status} (revision ${revision}): a run of helm is under way, or was broken off. Wait for it, or say "helm rollback ${release} ${revision - 1}" when it is surely over`,
    { release, status, revision },
  );
}

/** The run of helm that this tool has begun and not ended, by what stands at the workload. */
export async function readRun({ api, input, work }: Context, keeper: Workload): Promise<Run | undefined> {
  const { shape } = await patiently(() => readWorkload(api, input, keeper), work);
  const text = shape.metadata.annotations[HELM_RUN];
  if (text === undefined) return undefined;
  const run = Run.safeParse(JSON.parse(text));
  if (run.success) return run.data;
  throw new PreconditionError(`the annotation ${HELM_RUN} of ${nameOfWorkload(keeper)} cannot be read; remove it`);
}
