import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { shellLine } from '../core/shell-line.js';
import { bringServers } from '../lab/bring-servers.js';
import { removeLab } from '../lab/clean-up.js';
import { startCluster } from '../lab/cluster.js';
import { removePostgres, startPostgres } from '../lab/postgres.js';

/**
 * The clusters of docs/tutorial.md: `start` leaves a staging and a live cluster running in a folder, and says in its `env.sh`
 * where they are; `stop` removes both with the folder.
 */
const FROM = '1.29.1';
const TO = '1.30.7';

const [command = '', folder = 'tutorial'] = process.argv.slice(2);
const directory = resolve(folder);
const say = (line: string) => process.stdout.write(`${line}\n`);

if (command === 'start') await start();
else if (command === 'stop') await remove();
else {
  process.stderr.write('error: start or stop, and a folder\n');
  process.exitCode = 2;
}

async function remove(): Promise<void> {
  await removePostgres(join(directory, 'postgres'));
  await removeLab(directory);
}

async function start(): Promise<void> {
  const tools = createToolResolver();
  await bringServers(tools, [FROM, TO], say);
  await tools.temporalCli({ onProgress: say });
  await remove();
  await mkdir(directory, { recursive: true });
  try {
    say('starting PostgreSQL');
    const postgres = await startPostgres({ directory: join(directory, 'postgres') });
    const variables: string[] = [];
    for (const name of ['staging', 'live'] as const) {
      say(`starting cluster ${name} on ${FROM}`);
      const isLive = name === 'live';
      const { target } = await startCluster({
        name,
        version: FROM,
        database: postgres,
        tools,
        directory: join(directory, name),
        ...(isLive ? { balanced: true, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 } } : {}),
      });
      if (!('address' in target.connection)) throw new TypeError('a cluster of the lab has an address');
      const variable = name.toUpperCase();
      variables.push(`${variable}=${target.connection.address}`, `${variable}_DB_PASSWORD=${postgres.password}`);
    }
    const project = fileURLToPath(new URL('../..', import.meta.url));
    variables.push(
      // pg_dump must not be older than the server, which is the lab's own.
      `TEMPORAL_UPGRADE_PG_BIN=${postgres.binDir}`,
      `PATH=${join(project, 'bin')}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    );
    const file = join(directory, 'env.sh');
    await writeFile(file, variables.map((one) => `export ${shellLine([one])}\n`).join(''), { mode: 0o600 });
    say(`both clusters run; next: . ${join(folder, 'env.sh')}`);
  } catch (error) {
    await remove();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
