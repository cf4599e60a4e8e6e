import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Driver } from '../adapters/driver.js';
import { checkHealth, HEALTH_SERVICES, readTls } from '../adapters/grpc-health.js';
import { readLogTail } from '../adapters/process/log-tail.js';
import { messageOf } from '../core/errors.js';
import type { ProcessNode, Tls } from '../core/input/input.js';
import { compareVersions } from '../core/version.js';
import type { LabTarget } from './cluster.js';

const TIMEOUT_MS = 90_000;
const POLL_MS = 250;
const NAMESPACE = 'default';
const ALREADY_EXISTS = 6;

/**
 * Waits until every node of a lab cluster is SERVING and every frontend knows the namespace `default`, which is made when
 * it is missing.
 * @throws Error when a node ends, with the tail of its log, or after a minute and a half, naming what is not ready
 */
export async function waitUntilUsable(target: LabTarget, driver: Driver, version: string): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  const frontendTls = 'address' in target.connection ? target.connection.tls : undefined;
  await Promise.all(
    target.driver.nodes
      // Up to 1.30 the worker role has no health service.
      .filter(({ role }) => role !== 'worker' || compareVersions(version, '1.31.0') >= 0)
      .map((node) =>
        waitUntilServing(node, {
          tls: node.role === 'frontend' ? frontendTls : target.driver.internodeTls,
          driver,
          end,
        }),
      ),
  );
  for (const address of target.frontends ?? []) await waitForNamespace(address, frontendTls, end);
}

async function waitUntilServing(
  node: ProcessNode,
  { tls, driver, end }: { readonly tls: Tls | true | undefined; readonly driver: Driver; readonly end: number },
): Promise<void> {
  for (;;) {
    const health = await checkHealth(node.rpcAddress, HEALTH_SERVICES[node.role], tls);
    if (health === 'SERVING') return;
    if (health === 'UNREACHABLE' && !(await isRunning(driver, node))) {
      throw new Error(`${node.name} of the lab ended; ${node.logFile}:\n${await readLogTail(node.logFile, 0)}`);
    }
    if (Date.now() > end) throw new Error(`${node.name} of the lab is ${health}, not SERVING; see ${node.logFile}`);
    await sleep(POLL_MS);
  }
}

async function isRunning(driver: Driver, { name }: ProcessNode): Promise<boolean> {
  return (await driver.listNodes()).some((node) => node.name === name && node.running);
}

/**
 * Waits until the frontend at `address` knows the namespace `default`, which is made when it is missing.
 * @throws Error that says what was wrong at `end` (milliseconds since the epoch)
 */
export async function waitForNamespace(address: string, tls: Tls | true | undefined, end: number): Promise<void> {
  const connection = Connection.lazy({ address, tls: tls === undefined ? false : await readTls(tls) });
  const { workflowService } = connection;
  try {
    for (;;) {
      const problem = await connection
        .withDeadline(Date.now() + 10_000, async () => {
          await workflowService
            .registerNamespace({
              namespace: NAMESPACE,
              workflowExecutionRetentionPeriod: msToTs('1 day'),
            })
            .catch(ignoreExisting);
          // Only a call that goes through the namespace registry shows that this frontend has heard of it.
          await workflowService.listWorkflowExecutions({ namespace: NAMESPACE, pageSize: 1 });
        })
        .then(
          () => undefined,
          (error: unknown) => messageOf(error),
        );
      if (problem === undefined) return;
      if (Date.now() > end) throw new Error(`namespace ${NAMESPACE} cannot be used at ${address}: ${problem}`);
      await sleep(POLL_MS);
    }
  } finally {
    await connection.close();
  }
}

function ignoreExisting(error: unknown): void {
  if (isGrpcServiceError(error) && Number(error.code) === ALREADY_EXISTS) return;
  throw error;
}
