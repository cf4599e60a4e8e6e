import { readFile } from 'node:fs/promises';
import { type ConfiguredNode, findDynamicFiles } from './dynamic-files.js';
import { keysIn } from './edit-settings.js';

/**
 * Keys that stand in the dynamic configuration of some node, as far as it can be seen from here: a plan is also made far
 * from the servers, and what cannot be read is told by the preflight. Never throws.
 */
export async function readKeysSet(nodes: readonly ConfiguredNode[]): Promise<readonly string[]> {
  const { files } = await findDynamicFiles(nodes).catch(() => ({ files: [] }));
  const keys = await Promise.all(
    files.map(async ({ path }) => {
      try {
        return keysIn(path, await readFile(path, 'utf8'));
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(keys.flat())];
}
