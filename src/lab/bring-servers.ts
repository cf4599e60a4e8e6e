import { bringSchemaTool, scriptsFolder } from '../adapters/sql/sql-tool.js';
import type { ToolResolver } from '../adapters/tools/tools.js';

/** Brings all that clusters of these versions need, one after the other: nothing is to be missing half-way. */
export async function bringServers(
  tools: ToolResolver,
  versions: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const work = { onProgress: say };
  for (const version of versions) {
    await tools.serverTool('temporal-server', version, work);
    for (const kind of ['default', 'visibility'] as const) {
      const folder = scriptsFolder({ plugin: 'postgres12' }, kind);
      await bringSchemaTool(tools, { folder, serverVersion: version }, work);
    }
  }
}
