import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runGo } from '../../adapters/tools/go-command.js';
import { serverRelease } from '../../adapters/tools/release.js';
import { isFile } from '../../adapters/tools/tool-cache.js';
import { defaultCacheDir } from '../../adapters/cache-dir.js';
import type { ToolResolver } from '../../adapters/tools/tools.js';

/**
 * Temporal's `tdbg` of a release, by which a person looks at the rings: beside the server, where an archive has brought it (from
 * 1.30 on), else built from the module proxy into the cache. @throws CommandError when it can neither be found nor built
 */
export async function findTdbg(version: string, tools: ToolResolver): Promise<string> {
  const beside = join(dirname(await tools.serverTool('temporal-server', version)), 'tdbg');
  if (await isFile(beside)) return beside;
  const cache = defaultCacheDir();
  const folder = join(cache, `tdbg-${version}`);
  const kept = join(folder, 'tdbg');
  if (await isFile(kept)) return kept;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'tdbg-'));
  try {
    const { module } = serverRelease(version);
    await runGo(['install', `${module}/cmd/tools/tdbg@v${version}`], { cwd: work, env: { GOBIN: work } }, {});
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}
