// Brings the Temporal CLI and the programs of the server versions that are given as arguments, and says where each is.
import { bringSchemaTool, scriptsFolder } from '../dist/adapters/sql/sql-tool.js';
import { createToolResolver } from '../dist/adapters/tools/tool-resolver.js';

const resolver = createToolResolver();
let last = '';
const onProgress = (progress) => {
  if (progress !== last) console.log(`  ${(last = progress)}`);
};
const abort = new AbortController();
process.once('SIGINT', () => abort.abort(new Error('stopped by SIGINT')));
process.once('SIGTERM', () => abort.abort(new Error('stopped by SIGTERM')));
const work = { onProgress, signal: abort.signal };

try {
  console.log(`temporal: ${await resolver.temporalCli(work)}`);
  for (const version of process.argv.slice(2)) {
    for (const tool of ['temporal-server', 'temporal-sql-tool', 'temporal-cassandra-tool']) {
      console.log(`${tool} ${version}: ${await resolver.serverTool(tool, version, work)}`);
    }
    // What the schema tool does not carry within itself.
    const folder = scriptsFolder({ plugin: 'postgres12' }, 'default');
    const { scripts } = await bringSchemaTool(resolver, { folder, serverVersion: version }, work);
    if (scripts[0] === '--schema-dir') console.log(`schema scripts ${version}: ${scripts[1]}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
