import { readImage } from '../../core/pods/images.js';
import type { Found } from './context.js';

/** What keeps services from being replaced one by one. */
export interface Obstacle {
  readonly what: string;
  readonly remedy: string;
}

/** All that stands in the way, by what the containers of the project are. */
export function obstaclesIn({ slots, containers }: Pick<Found, 'slots' | 'containers'>): Obstacle[] {
  return slots.flatMap(({ service, container }): Obstacle[] => {
    if (container === undefined) return [];
    // podman removes no container that another one was made to stand on, and a network that is shared goes with its owner.
    const onIt = containers.filter(({ standsOn }) => standsOn.includes(container.id)).map(({ name }) => name);
    return [
      ...(onIt.length === 0
        ? []
        : [
            {
              what: `${onIt.join(', ')} stand on container ${container.name}, so that it cannot be removed alone`,
              remedy: `take ${service.service} out of their "depends_on" (or "network_mode"), then "up" once by hand: servers find each other by their database, and wait for it by themselves`,
            },
          ]),
      ...(setsUpSchema(container.image, container.env)
        ? [
            {
              what: `container ${container.name} has the image ${container.image}, which brings the schema of its databases to its own version whenever it starts`,
              remedy: `set SKIP_SCHEMA_SETUP: "true" in the environment of ${service.service} and "up" once by hand: the schema is brought before the servers here, once and with a backup`,
            },
          ]
        : []),
    ];
  });
}

/** auto-setup.sh of temporalio/docker-builds runs setup-schema and update-schema unless it is told not to. */
function setsUpSchema(image: string, env: ReadonlyMap<string, string>): boolean {
  return /(^|\/)auto-setup$/.test(readImage(image).repository) && env.get('SKIP_SCHEMA_SETUP') !== 'true';
}
