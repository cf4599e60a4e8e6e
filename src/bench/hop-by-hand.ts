import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth, HEALTH_SERVICES } from '../adapters/grpc-health.js';
import { runCommand } from '../adapters/run-command.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { asSqlStore } from '../core/input/input.js';
import { rollOrder } from '../core/planning/roll-order.js';
import type { LabCluster } from '../lab/cluster.js';
import type { LabDatabase } from '../lab/lab-database.js';

export interface HandHop {
  readonly cluster: LabCluster;
  /** Of both its stores. */
  readonly database: LabDatabase;
  readonly to: string;
  readonly schema: Readonly<Record<'default' | 'visibility', string>>;
  /** Observations and settle, as the roll-out has them, in milliseconds each. */
  readonly waitsMs: readonly number[];
  readonly tools: ToolResolver;
}

/**
 * One hop as a script would do it that only runs the tools and waits: dump, schema update, node after node until it is
 * SERVING, and the agreed waits. Nothing is checked, proved or recorded. Gives its seconds.
 */
export async function hopByHand({
  cluster,
  database: { binDir, password },
  to,
  schema,
  waitsMs,
  tools,
}: HandHop): Promise<number> {
  const { target, driver } = cluster;
  const sqlTool = await tools.serverTool('temporal-sql-tool', to);
  await driver.prepare(to);
  const directory = join(target.backupDir, 'by-hand');
  await mkdir(directory, { recursive: true });
  const started = performance.now();
  for (const store of ['default', 'visibility'] as const) {
    const { host, port, user, database } = asSqlStore(target.stores[store]);
    await runCommand(
      join(binDir, 'pg_dump'),
      [
        '-Fc',
        '--host',
        host,
        '--port',
        String(port),
        '--username',
        user,
        '--file',
        join(directory, `${store}.dump`),
        database,
      ],
      { env: { PGPASSWORD: password } },
    );
  }
  for (const store of ['default', 'visibility'] as const) {
    const { host, port, user, database, plugin } = asSqlStore(target.stores[store]);
    const folder = store === 'default' ? 'temporal' : 'visibility';
    await runCommand(
      sqlTool,
      ['update-schema', '--schema-name', `postgresql/v12/${folder}`, '--version', schema[store]],
      {
        env: {
          SQL_PLUGIN: plugin,
          SQL_HOST: host,
          SQL_PORT: String(port),
          SQL_USER: user,
          SQL_PASSWORD: password,
          SQL_DATABASE: database,
        },
      },
    );
  }
  for (const name of rollOrder(target.driver.nodes, 'forward')) {
    await driver.stopNode(name);
    await driver.startNode(name, to);
    const node = target.driver.nodes.find((candidate) => candidate.name === name);
    // The worker role has no health service before 1.31: a script can only go on.
    if (node === undefined || node.role === 'worker') continue;
    while ((await checkHealth(node.rpcAddress, HEALTH_SERVICES[node.role])) !== 'SERVING') await sleep(250);
  }
  for (const ms of waitsMs) await sleep(ms);
  return (performance.now() - started) / 1_000;
}
