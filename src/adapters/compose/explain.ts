import { overrideFileOf } from '../../core/input/input.js';
import { type Context, countOf, lookAtProject, slotNamed } from './context.js';
import { overrideLine } from './override-file.js';
import { hasImage } from './prepare.js';
import { overrideFor, upArgs } from './start-container.js';
import { stopArgs } from './stop-container.js';

/** What is run to replace the container of a node, in order. @throws PreconditionError when there is no such node */
export async function explainContainer(context: Context, name: string, version: string): Promise<string[]> {
  const { input, programs } = context;
  const found = await lookAtProject(context);
  const slot = slotNamed(found.slots, name);
  const { container } = slot;
  const { service } = slot.service;
  const override = overrideFor(context, found, slot, version);
  const image = override.images[service] ?? '';
  return [
    ...((await hasImage(context, image)) ? [] : [programs.engineLine(['pull', image])]),
    ...(container === undefined ? [] : [programs.engineLine(stopArgs(container, input.stopTimeout))]),
    overrideLine(overrideFileOf(input), override),
    ...(container === undefined ? [] : [programs.engineLine(['rm', container.name])]),
    programs.composeLine(upArgs(service, countOf(found.slots, service))),
    ...(Object.keys(override.containers).length === 0
      ? []
      : [overrideLine(overrideFileOf(input), { ...override, containers: {} })]),
  ];
}
