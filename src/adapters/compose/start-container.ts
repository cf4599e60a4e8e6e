import type { NodeState } from '../../core/cluster.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { overrideFileOf } from '../../core/input/input.js';
import { imageOfVersion } from '../../core/pods/images.js';
import { expectVersion } from '../find-node.js';
import { watchStart } from '../watch-start.js';
import type { Container } from './container.js';
import { logOf } from './container-log.js';
import { type Context, countOf, type Found, lookAtProject, type Slot, slotNamed, statesOf } from './context.js';
import { type Override, writeOverride } from './override-file.js';
import { stopContainer } from './stop-container.js';
import { waitForHealth } from './wait-for-health.js';

/** Making a container takes seconds; its image is there already. */
const UP_TIMEOUT_MS = 120_000;

/** What makes the missing container of a service, and touches no other: neither what it depends on, nor what depends on it. */
export function upArgs(service: string, containers: number): string[] {
  const scale = containers === 1 ? [] : ['--scale', `${service}=${containers}`];
  return ['up', '--detach', '--no-deps', '--no-recreate', '--no-build', ...scale, service];
}

/** The file with the image of a version for one service, and how many containers that has while one of them is missing. */
export function overrideFor(context: Context, { override, slots }: Found, slot: Slot, version: string): Override {
  const { service } = slot.service;
  const present = slot.container?.image ?? override.images[service];
  if (present === undefined && context.input.images.repository === undefined) {
    throw new PreconditionError(
      `service ${service} has no container that tells where its image is from; name it in "driver.images.repository"`,
      { service },
    );
  }
  const image = imageOfVersion(version, present ?? '', context.input.images);
  const count = countOf(slots, service);
  return {
    images: { ...override.images, [service]: image },
    containers: count === 1 ? {} : { [service]: count },
  };
}

/**
 * Makes and starts the container of a node with `version`, unless that runs already, and watches its first moments. What has
 * stopped is removed first: Compose makes what is missing, and only that.
 * @throws PreconditionError when another version runs, or when the server ends at once: with the end of what it wrote
 */
export async function startContainer(context: Context, name: string, version: string): Promise<NodeState> {
  const found = await lookAtProject(context);
  const slot = slotNamed(found.slots, name);
  const before = stateNamed(await statesOf(context, slot), name);
  if (before.running) return expectVersion(before, version);

  const { input, programs, work } = context;
  const { service } = slot.service;
  const file = overrideFileOf(input);
  const override = overrideFor(context, found, slot, version);
  await writeOverride(file, override);
  // Killed here or further down: the file says how many there are to be, so that the missing one is still a node.
  if (slot.container !== undefined) await remove(context, slot.container);
  const known = new Set(found.containers.map(({ id }) => id));
  const failed = await programs
    .compose(upArgs(service, countOf(found.slots, service)), {
      timeoutMs: UP_TIMEOUT_MS,
      saying: `making a container of ${service}`,
      work,
    })
    .then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error(messageOf(error))),
    );
  work.signal?.throwIfAborted();
  const made = await newContainer(context, service, known);
  if (made === undefined) {
    if (failed !== undefined) throw failed;
    throw new PreconditionError(
      `"up" of ${service} was run and made no container; does the service belong to a profile that "driver.profiles" does not name?`,
      { service },
    );
  }
  // Where it failed, another "up" may have been there: that of a worker which was killed meanwhile ends what it began.
  const state = await watch(context, { id: made.id, name, role: before.role, version, failed });
  if (Object.keys(override.containers).length > 0) await writeOverride(file, { ...override, containers: {} });
  return state;
}

async function watch(
  context: Context,
  started: { readonly failed: Error | undefined } & Readonly<Record<'id' | 'name' | 'role' | 'version', string>>,
): Promise<NodeState> {
  const { id, name, role, version, failed } = started;
  const look = async (): Promise<NodeState> => {
    const { slots } = await lookAtProject(context);
    // By its container: where all of a service have one version again, another of them may have the name by now.
    const slot = slots.find(({ container }) => container?.id === id) ?? slotNamed(slots, name);
    const states = await statesOf(context, slot);
    return states.find((state) => state.role === role) ?? stateNamed(states, name);
  };
  const { state, ended } = await watchStart(look, context.work);
  const facts = { node: name, version, found: state.version };
  const container = (await lookAtProject(context)).containers.find((one) => one.id === id);
  if (ended) {
    const log = container === undefined ? 'its container is gone' : await logOf(context, container);
    if (container !== undefined) {
      // Its restart policy would start it again and again.
      await stopContainer(context, container).catch((error: unknown) => {
        context.work.onProgress?.(messageOf(error));
      });
    }
    const why = failed === undefined ? '' : `${messageOf(failed)}\n`;
    throw new PreconditionError(`node ${name} ended at once when it was started with ${version}; ${why}${log}`, facts);
  }
  if (state.version !== version) {
    throw new PreconditionError(
      `node ${name} was started with ${version}, and its container has the image ${container?.image ?? 'unknown'}; is there a file after ours that sets it?`,
      facts,
    );
  }
  await waitForHealth(context, id);
  return look();
}

/** Removes one that has stopped; does nothing when it has gone already. */
async function remove({ programs, work }: Context, { name }: Container): Promise<void> {
  await programs.engine(['rm', name], { work }).catch((error: unknown) => {
    if (!(error instanceof PreconditionError) || !/no such container|no container/i.test(error.message)) throw error;
  });
}

async function newContainer(
  context: Context,
  service: string,
  known: ReadonlySet<string>,
): Promise<Container | undefined> {
  const { containers } = await lookAtProject(context);
  return containers.find((one) => one.service === service && !known.has(one.id));
}

function stateNamed(states: readonly NodeState[], name: string): NodeState {
  const state = states.find((one) => one.name === name);
  if (state === undefined) throw new TypeError(`a slot of ${name} without it`);
  return state;
}
