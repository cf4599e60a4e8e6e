import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { DEFAULT_TASK_QUEUE } from './contract/names.js';
import { createWorker } from './create-worker.js';
import { startDevServer } from './dev-server.js';

/** Runs the embedded control plane and a worker until SIGINT or SIGTERM; both stop then, and the database file stays. */
export async function runDev(
  options: { readonly port: number; readonly uiPort: number; readonly dataDir: string },
  say: (line: string) => void,
): Promise<void> {
  const server = await startDevServer({ ...options, tools: createToolResolver(), onProgress: say });
  try {
    const { worker, connection } = await createWorker({ address: server.address, namespace: 'default' });
    say(`control plane  ${server.address}, namespace default`);
    say(`Web UI         ${server.uiUrl}`);
    say(`task queue     ${DEFAULT_TASK_QUEUE}`);
    await worker.run();
    await connection.close();
  } finally {
    await server.stop();
  }
}
