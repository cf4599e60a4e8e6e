import type { ComposeDriver } from '../../core/input/input.js';
import { overrideFileOf } from '../../core/input/input.js';
import type { Driver } from '../driver.js';
import { identify, readUsage } from '../process/linux-process.js';
import type { Work } from '../store.js';
import { configurationFiles } from './configuration.js';
import { type Context, lookAtProject, slotNamed, statesOf } from './context.js';
import { explainContainer } from './explain.js';
import { howToKeep, isReadByItself } from './kept-version.js';
import { readOverride } from './override-file.js';
import { prepareVersion } from './prepare.js';
import { createPrograms, type Programs } from './programs.js';
import { startContainer } from './start-container.js';
import { stopContainer } from './stop-container.js';

/**
 * Servers as services of Docker Compose or podman compose. Containers are found through the engine by the labels that Compose gives
 * them; their images are changed in a file of ours that is laid over the operator's, and Compose makes what is missing.
 */
export function createComposeDriver(input: ComposeDriver, programs: Programs = createPrograms(input)): Driver {
  const places = new Map<string, string>();
  const contextOf = (work: Work = {}): Context => ({ input, programs, work, places });

  return {
    async listNodes() {
      const context = contextOf();
      const { slots } = await lookAtProject(context);
      return (await Promise.all(slots.map((slot) => statesOf(context, slot)))).flat();
    },

    async stopNode(name, work) {
      const context = contextOf(work);
      const { container } = slotNamed((await lookAtProject(context)).slots, name);
      if (container?.running === true) await stopContainer(context, container);
    },

    startNode: (name, version, work) => startContainer(contextOf(work), name, version),
    prepare: (version, work) => prepareVersion(contextOf(work), version),

    async endRoll() {
      const file = overrideFileOf(input);
      const isWritten = Object.keys((await readOverride(file)).images).length > 0;
      if (!isWritten || (await isReadByItself(input))) return [];
      return [
        `${file} has the images of the servers, and an "up" by hand does not read it by itself: ${howToKeep(input)}`,
      ];
    },

    async readUsage({ pid }) {
      const id = pid === undefined ? undefined : await identify(pid);
      return id === undefined ? undefined : readUsage(id);
    },

    configurationPaths: () => [...new Set(input.services.flatMap(({ configDir }) => configDir ?? []))],
    configurationFiles: () => configurationFiles(input),
    explain: (name, version) => explainContainer(contextOf(), name, version),
  };
}
