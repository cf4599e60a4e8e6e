import { PreconditionError } from '../../core/errors.js';
import { imageOfVersion } from '../../core/pods/images.js';
import { placeholdersIn } from '../../core/input/placeholders.js';
import { patiently } from './api.js';
import { changeByCommand } from './change-command.js';
import { upgradeRelease } from './change-helm.js';
import { changeByOperator } from './change-operator.js';
import type { Context } from './context.js';
import { findWorkloads, readWorkload } from './find-workloads.js';
import { hold } from './hold.js';
import { setSettingsAside } from './pod-settings.js';
import { updateNone } from './step-stateful-set.js';
import { nameOfWorkload, type Workload } from './workload.js';

/**
 * Brings `version` into the template of a held workload; nothing is replaced by it. Where it gets into all templates at once, all
 * workloads are held before. @returns the workload as it is then
 */
export async function changeTemplate(context: Context, workload: Workload, version: string): Promise<Workload> {
  const { api, input, work } = context;
  if (workload.version === version) return workload;
  const all = changesAll(context) ? await patiently(() => findWorkloads(api, input), work) : [workload];
  const held: Workload[] = [];
  for (const one of all) {
    held.push(await hold(context, one));
    // Also one that has come half-way: a template that goes back would take all of them.
    if (one.shape.kind === 'StatefulSet') await updateNone(context, one);
  }
  if (writesObjects(context)) await setSettingsAside(context);
  await change(context, held, { workload, version });
  // Whatever wrote the template may have written the strategy too.
  for (const one of held) await hold(context, await patiently(() => readWorkload(api, input, one), work));
  const after = await patiently(() => readWorkload(api, input, workload), work);
  if (after.version === version) return after;
  throw new PreconditionError(
    `${nameOfWorkload(workload)} has the image ${after.image} after it was changed to ${version}; who writes it? ${writersOf(after)}`,
    { workload: workload.name, version },
  );
}

async function change(
  context: Context,
  held: readonly Workload[],
  { workload, version }: { readonly workload: Workload; readonly version: string },
): Promise<void> {
  const { input } = context;
  switch (input.change.by) {
    case 'image':
      return setImage(context, workload, version);
    case 'helm':
      return upgradeRelease(context, held, { ...input.change, version });
    case 'operator':
      return changeByOperator(context, held, { ...input.change, version });
    case 'command':
      return changeByCommand(context, { workload, version, change: input.change });
  }
}

/** By server-side apply under a name of our own, which takes the field from whoever had it. */
async function setImage({ api, input, work }: Context, workload: Workload, version: string): Promise<void> {
  const { name, container, shape, path } = workload;
  const image = imageOfVersion(version, workload.image, input.images);
  const body = {
    apiVersion: 'apps/v1',
    kind: shape.kind,
    metadata: { name, namespace: input.namespace },
    spec: { template: { spec: { containers: [{ name: container, image }] } } },
  };
  await api.patch(path, body, 'apply', work);
}

/** Whether what changes the version may write other objects too, such as the ConfigMaps of a chart. */
export function writesObjects({ input: { change: by } }: Pick<Context, 'input'>): boolean {
  return by.by !== 'image';
}

/** Whether a change of the version reaches every role at once. */
export function changesAll({ input: { change: by } }: Pick<Context, 'input'>): boolean {
  if (by.by === 'image') return false;
  return by.by !== 'command' || !by.command.flatMap(placeholdersIn).includes('role');
}

/** Who has written to a workload, the last one first. */
export function writersOf({ shape }: Pick<Workload, 'shape'>): string {
  const writers = shape.metadata.managedFields
    .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))
    .map(({ manager, time }) => `${manager}${time === undefined ? '' : ` at ${time}`}`);
  return `It was written by ${[...new Set(writers)].join(', ') || 'nobody known'}`;
}
