import { basename } from 'node:path';
import { type ComposeDriver, overrideFileOf } from '../../core/input/input.js';
import { readImage } from '../../core/pods/images.js';
import type { Container } from './container.js';
import type { Found } from './context.js';

/** What keeps services from being replaced one by one. */
export interface Obstacle {
  readonly what: string;
  readonly remedy: string;
}

/** All that stands in the way, by what the containers of the project are. */
export function obstaclesIn(
  { slots, containers }: Pick<Found, 'slots' | 'containers'>,
  input: ComposeDriver,
): Obstacle[] {
  return slots.flatMap(({ service: { service }, container }) =>
    container === undefined
      ? []
      : [
          ...whatStandsOn(container, service, containers),
          ...schemaSetUp(container, service),
          ...unnamedFiles(container, input),
        ],
  );
}

/** podman removes no container that another one was made to stand on, and a network that is shared goes with its owner. */
function whatStandsOn({ id, name }: Container, service: string, all: readonly Container[]): Obstacle[] {
  return all
    .filter(({ standsOn }) => standsOn.includes(id))
    .map((other) => ({
      what: `container ${other.name} stands on ${name}, which cannot be removed alone`,
      remedy: `take ${service} out of "depends_on" (or "network_mode") of ${other.service}, then make ${other.service} anew by hand: what needs a server waits for it and finds it by itself`,
    }));
}

/** auto-setup.sh of temporalio/docker-builds runs setup-schema and update-schema unless it is told not to. */
function schemaSetUp({ image, env, name }: Container, service: string): Obstacle[] {
  const isAutoSetup = /(^|\/)auto-setup$/.test(readImage(image).repository);
  if (!isAutoSetup || env.get('SKIP_SCHEMA_SETUP') === 'true') return [];
  return [
    {
      what: `container ${name} has the image ${image}, which brings the schema of its databases to its own version whenever it starts`,
      remedy: `set SKIP_SCHEMA_SETUP: "true" in the environment of ${service} and "up" once by hand: the schema is brought before the servers here, once and with a backup`,
    },
  ];
}

/** Made anew without them it would be another container. */
function unnamedFiles({ files, name }: Container, input: ComposeDriver): Obstacle[] {
  const named = [...input.files, overrideFileOf(input)].map((file) => basename(file));
  return files
    .filter((file) => !named.includes(file))
    .map((file) => ({
      what: `container ${name} was made from ${file} too, which "driver.files" does not name`,
      remedy: `name all files of the project there, in their order`,
    }));
}
