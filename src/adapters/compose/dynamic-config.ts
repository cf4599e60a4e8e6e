import { access, constants } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { FoundDynamicConfig } from '../../core/cluster.js';
import type { ComposeService } from '../../core/input/input.js';
import { dynamicClientFacts } from '../process/configuration-facts.js';
import { NotReadableError } from '../process/parse-configuration.js';
import { readConfigurationFiles } from '../process/read-configuration.js';
import type { Container } from './container.js';

/** By which Temporal's own images are told; their template of the configuration writes it there. */
const VARIABLE = 'DYNAMIC_CONFIG_FILE_PATH';

/** Where the dynamic configuration of a container's server is on this host, and where its log is. */
export async function findDynamicConfig(
  container: Pick<Container, 'env' | 'workingDir' | 'binds' | 'logFile'>,
  service: Pick<ComposeService, 'service' | 'configDir' | 'configEnv'>,
): Promise<FoundDynamicConfig> {
  const { logFile } = container;
  const log = logFile !== undefined && (await isReadable(logFile)) ? { logFile } : {};
  try {
    const inside = (await namedInConfiguration(service)) ?? container.env.get(VARIABLE);
    if (inside === undefined) {
      return {
        unreached: `neither a configuration that this worker can read ("configDir") nor ${VARIABLE} of its container names its file of dynamic configuration`,
      };
    }
    const path = isAbsolute(inside) ? inside : join(container.workingDir, inside);
    return { ...placeOnHost(path, container.binds), ...log };
  } catch (error) {
    if (error instanceof NotReadableError) return { unreached: error.message };
    throw error;
  }
}

async function namedInConfiguration({ configDir, configEnv }: Pick<ComposeService, 'configDir' | 'configEnv'>) {
  if (configDir === undefined) return undefined;
  return dynamicClientFacts(await readConfigurationFiles({ configDir, configEnv })).file;
}

/** Where a path of a container is on the host of its engine. */
export function placeOnHost(path: string, binds: Container['binds']): FoundDynamicConfig {
  const [mount] = binds
    .filter(({ to }) => path === to || path.startsWith(to.endsWith('/') ? to : `${to}/`))
    .toSorted((a, b) => b.to.length - a.to.length); // the innermost one is what it sees
  if (mount === undefined) {
    return {
      unreached: `${path} of its container is mounted from no folder of the host; mount one over it ("./dynamicconfig:${path.replace(/\/[^/]*$/, '')}")`,
    };
  }
  if (mount.to === path) {
    // A file that is replaced is another file: the container would go on seeing the one from before.
    return {
      unreached: `${path} of its container is mounted as a single file, of which it would not see a new one; mount the folder that it is in`,
    };
  }
  return { file: join(mount.from, path.slice(mount.to.length)) };
}

async function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
