import type { ToolResolver } from '../../../adapters/tools/tools.js';
import { makeImage } from './image.js';

/** Image of the container that holds a pod's network. */
export const PAUSE_IMAGE = 'temporal-upgrade/pause:1';
const PROGRAM = '/usr/local/bin/image';

/**
 * Makes the images of a node in the folder `images`: that of a pod itself, and for each version temporalio/server, with the server's own
 * program and laid out as Temporal's image is, and temporalio/admin-tools, which only waits. Servers have to be linked statically, as
 * all are that come from archives or are built by the tool resolver.
 * @throws whatever the resolver throws for a version that cannot be had
 */
export async function makeTemporalImages(
  images: string,
  {
    versions,
    tools,
    imageProgram,
  }: { readonly versions: readonly string[]; readonly tools: ToolResolver; readonly imageProgram: string },
): Promise<void> {
  const waiting = { programs: { [PROGRAM]: imageProgram }, entrypoint: [PROGRAM, 'pause'] };
  await makeImage(images, PAUSE_IMAGE, waiting);
  for (const version of versions) {
    await makeImage(images, `temporalio/admin-tools:${version}`, waiting);
    await makeImage(images, `temporalio/server:${version}`, {
      programs: {
        [PROGRAM]: imageProgram,
        '/usr/local/bin/temporal-server': await tools.serverTool('temporal-server', version),
      },
      folders: ['/etc/temporal/config', '/etc/temporal/dynamic_config'],
      entrypoint: [PROGRAM, 'serve'],
    });
  }
}
