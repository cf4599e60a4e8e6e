import { PreconditionError, UnreachableError } from '../../core/errors.js';
import { imageOfVersion } from '../../core/pods/images.js';
import { type Context, type Found, lookAtProject } from './context.js';
import { obstaclesIn } from './obstacles.js';

/** An image may have to come over a slow network. */
const PULL_TIMEOUT_MS = 30 * 60_000;

/**
 * Sees that nothing will be missing once a container has been stopped: that its service is there and can be replaced alone, and the
 * image of the version on the host of the engine, pulled where it is not. @throws PreconditionError
 */
export async function prepareVersion(context: Context, version: string): Promise<void> {
  const found = await lookAtProject(context);
  const obstacles = obstaclesIn(found, context.input).map(({ what, remedy }) => `${what}: ${remedy}`);
  if (obstacles.length > 0) throw new PreconditionError(obstacles.join('\n'));
  for (const image of imagesOf(context, found, version)) {
    if (await hasImage(context, image)) continue;
    const saying = `pulling ${image}`;
    await context.programs
      .engine(['pull', image], { timeoutMs: PULL_TIMEOUT_MS, saying, work: context.work })
      .catch((cause: unknown) => {
        context.work.signal?.throwIfAborted();
        if (cause instanceof UnreachableError || !(cause instanceof PreconditionError)) throw cause;
        throw new PreconditionError(
          `the image ${image} of version ${version} cannot be had: ${cause.message}; correct "driver.images", or bring it to the engine`,
          { image, version },
          { cause },
        );
      });
  }
}

/** Whether the engine has it already. */
export async function hasImage({ programs }: Pick<Context, 'programs'>, image: string): Promise<boolean> {
  return programs.engine(['image', 'inspect', '--format', '{{.Id}}', image]).then(
    () => true,
    () => false,
  );
}

function imagesOf({ input }: Context, { slots, override }: Found, version: string): string[] {
  const images = slots.flatMap(({ service, container }) => {
    const present = container?.image ?? override.images[service.service];
    if (present === undefined && input.images.repository === undefined) return [];
    return [imageOfVersion(version, present ?? '', input.images)];
  });
  return [...new Set(images)];
}
