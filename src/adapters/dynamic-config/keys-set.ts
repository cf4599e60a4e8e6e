import { readFile } from 'node:fs/promises';
import { parseConfiguration } from '../process/parse-configuration.js';
import { type ConfiguredNode, findDynamicFiles } from './dynamic-files.js';

/** Keys that stand in the dynamic configuration of some node, as far as it can be seen from here. Never throws. */
export async function readKeysSet(nodes: readonly ConfiguredNode[]): Promise<readonly string[]> {
  try {
    const { files } = await findDynamicFiles(nodes);
    const keys = await Promise.all(
      files.map(async ({ path }) => {
        const { settings } = parseConfiguration(path, await readFile(path, 'utf8'));
        return settings.filter(({ depth }) => depth === 1).map(({ path: [key = ''] }) => key);
      }),
    );
    return [...new Set(keys.flat())];
  } catch {
    return []; // the preflight says what cannot be read; a plan is also made far from the servers
  }
}
