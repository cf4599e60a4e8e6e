import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { LoadPolicy, type LoadMix } from '../core/input/input.js';
import { ledgerLine, ledgerProblems } from '../core/ledger.js';
import { startCluster, type LabCluster } from '../lab/cluster.js';
import { startPostgres } from '../lab/postgres.js';
import { Ledger } from '../load/ledger.js';
import type { LoadLine } from '../load/load-options.js';
import { drainLoad, runLoad } from '../load/run-load.js';
import { cpuSecondsOf } from './cpu.js';

/** What the load process took for one scenario. */
export interface MeasuredScenario {
  readonly startsPerSecond: number;
  /** Started, worked on and found right in their histories. */
  readonly verified: number;
  /** CPU of the load process over its whole life: generator, worker and verification; the client probe is off. */
  readonly cpuSeconds: number;
  /** CPU of Temporal's processes meanwhile. */
  readonly serverCpuSeconds: number;
  readonly p99Ms: number;
}

export interface MeasuredLoad {
  readonly simple: MeasuredScenario;
  readonly steps: MeasuredScenario;
}

const VERSION = '1.30.7';
const SECONDS = 60;

/**
 * Runs the load against a cluster of one process for each role. Temporal's own load tool (Omes) is not measured beside it:
 * the Go module proxy has neither it nor one of the modules that it needs, so that it cannot be built from there.
 */
export async function measureLoad(onProgress: (line: string) => void): Promise<MeasuredLoad> {
  const directory = join(homedir(), '.cache', 'temporal-upgrade', 'bench-load');
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  try {
    onProgress('starting a cluster of one process for each role');
    const cluster = await startCluster({
      name: 'load',
      version: VERSION,
      database: postgres,
      tools: createToolResolver(),
      directory: join(directory, 'cluster'),
    });
    try {
      onProgress(`${SECONDS} s of simple canaries`);
      const simple = await measureScenario(cluster, { mix: { simple: 1 }, startsPerSecond: 50 });
      onProgress(`${SECONDS} s of canaries with all steps`);
      return { simple, steps: await measureScenario(cluster, { mix: { steps: 1 }, startsPerSecond: 10 }) };
    } finally {
      await cluster.stop();
    }
  } finally {
    await postgres.stop();
  }
}

async function measureScenario(
  { target, driver }: LabCluster,
  profile: { readonly mix: LoadMix; readonly startsPerSecond: number },
): Promise<MeasuredScenario> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-load-'));
  const pids = (await driver.listNodes()).map(({ instance = '' }) => Number(instance.split(':')[0]));
  const serverCpu = async () => (await Promise.all(pids.map(cpuSecondsOf))).reduce((sum, each) => sum + each, 0);
  const loadId = `bench-${Date.now()}`;
  const ledgerFile = join(directory, 'ledger.sqlite');
  const policy = LoadPolicy.parse({ namespace: 'bench', longRunning: 0, probesPerSecond: 0, ...profile });
  const over = new AbortController();
  // Of the whole life of each, so the last answer of one counts; there is none once it has ended.
  const cpuOfPids = new Map<number, number>();
  const noteCpu = ({ pid }: LoadLine) => {
    cpuSecondsOf(pid).then(
      (seconds) => cpuOfPids.set(pid, seconds),
      () => undefined,
    );
  };
  const options = { connection: target.connection, policy, ledgerFile, loadId };
  let began: number | undefined;
  try {
    const serverBefore = await serverCpu();
    await runLoad({
      ...options,
      signal: over.signal,
      onProgress: (line) => {
        if (line.started > 0) began ??= Date.now();
        if (began !== undefined && Date.now() - began >= SECONDS * 1_000) over.abort();
        noteCpu(line);
      },
    });
    using ledger = new Ledger(ledgerFile, loadId);
    // On a machine that is too slow for the rate canaries are left; what it takes to end them counts too.
    while (ledger.summary().running > 0) {
      await drainLoad({ ...options, signal: new AbortController().signal, onProgress: noteCpu });
    }
    const serverCpuSeconds = (await serverCpu()) - serverBefore;
    const cpuSeconds = [...cpuOfPids.values()].reduce((sum, each) => sum + each, 0);
    const summary = ledger.summary();
    const { completed, started } = summary;
    if (completed < started) throw new Error([ledgerLine(summary), ...ledgerProblems(summary)].join('\n'));
    const p99Ms = ledger.window(0, Date.now()).startLatencyMs?.p99 ?? Number.NaN;
    return { startsPerSecond: profile.startsPerSecond, verified: completed, cpuSeconds, serverCpuSeconds, p99Ms };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
