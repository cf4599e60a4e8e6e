import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { DEFAULT_TASK_QUEUE } from './contract/names.js';
import { startDevServer } from './dev-server.js';
import { runWorker, stopSignal } from './run-worker.js';

/** Runs the embedded control plane and a worker until SIGINT or SIGTERM; both stop then, and the database file stays. */
export async function runDev(
  options: { readonly port: number; readonly uiPort: number; readonly dataDir: string },
  say: (line: string) => void,
): Promise<void> {
  const stop = stopSignal();
  const server = await startDevServer({ ...options, tools: createToolResolver(), onProgress: say });
  const onReady = () => {
    say(`control plane  ${server.address}, namespace default`);
    say(`Web UI         ${server.uiUrl}`);
    say(`task queue     ${DEFAULT_TASK_QUEUE}`);
  };
  try {
    await runWorker({ address: server.address, namespace: 'default' }, { stop, onReady });
  } finally {
    await server.stop();
  }
}
