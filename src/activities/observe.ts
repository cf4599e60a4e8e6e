import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTH_SERVICES, checkHealth } from '../adapters/grpc-health.js';
import { scrape } from '../adapters/cluster/metrics-scrape.js';
import { createDriver } from '../adapters/open-target.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { LoadRequest, TargetActivities } from '../contract/activities.js';
import type { NodeState } from '../core/cluster.js';
import type { Target } from '../core/input.js';
import { judge } from '../core/judge.js';
import { diffCounters, parseMetrics, sumCounters, type MetricSample } from '../core/metrics.js';
import { NEVER_EXPECTED, type LoadCounts, type Observation } from '../core/observation.js';
import { readLedger } from './load.js';
import { currentWork, reportProgress } from './guard.js';

/** Samples in a window, one at each end among them. */
const SAMPLES = 5;

interface NodeSample {
  readonly node: NodeState;
  /** Undefined when the process, its health or its metrics could not be had. */
  readonly metrics: readonly MetricSample[] | undefined;
}

/** Activities that measure. */
export const createObserveActivities = ({
  tools,
}: {
  readonly tools: ToolResolver;
}): Pick<TargetActivities, 'observe'> => ({
  async observe({ target, windowMs, bounds, baseline, load }) {
    const { signal } = currentWork();
    const driver = createDriver(target, tools);
    const startedAt = new Date();
    const loadBefore = load === undefined ? undefined : await readLedger(load);
    const rounds: NodeSample[][] = [];
    for (let round = 0; round < SAMPLES; round += 1) {
      const due = startedAt.getTime() + (windowMs * round) / (SAMPLES - 1);
      await sleep(Math.max(0, due - Date.now()), undefined, { signal });
      const nodes = await driver.listNodes();
      rounds.push(await Promise.all(nodes.map((node) => sampleNode(target, node))));
      reportProgress({ samples: rounds.length, of: SAMPLES });
    }
    const endedAt = new Date();
    const observation: Observation = {
      windowMs,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      samples: rounds.length,
      ...summarize(rounds),
      load: load === undefined || loadBefore === undefined ? undefined : await loadOfWindow(load, loadBefore),
    };
    return { observation, verdict: judge({ observation, baseline, bounds }) };
  },
});

async function sampleNode(target: Target, node: NodeState): Promise<NodeSample> {
  if (!node.running) return { node, metrics: undefined };
  try {
    // The worker role has no health service before 1.31; for it the metrics page alone says that it lives.
    if (node.role !== 'worker') {
      const frontendTls = 'address' in target.connection ? target.connection.tls : undefined;
      const tls = node.role === 'frontend' ? frontendTls : target.driver.internodeTls;
      if ((await checkHealth(node.rpcAddress, HEALTH_SERVICES[node.role], tls)) !== 'SERVING')
        return { node, metrics: undefined };
    }
    if (node.metricsAddress === undefined) return { node, metrics: undefined };
    return { node, metrics: parseMetrics(await scrape(node.metricsAddress)) };
  } catch {
    return { node, metrics: undefined }; // counted as a sample in which the node was not up
  }
}

type Measured = Pick<Observation, 'nodes' | 'requests' | 'errors' | 'errorRatio' | 'restarts' | 'unexpected'>;

function summarize(rounds: readonly (readonly NodeSample[])[]): Measured {
  const names = [...new Set(rounds.flat().map(({ node }) => node.name))];
  const byNode = names.map((name) => rounds.map((round) => round.find(({ node }) => node.name === name)));
  const rises = byNode.map(riseOf);
  const frontends = rises.filter((_, index) => roleOf(byNode[index]) === 'frontend');
  const requests = total(frontends, 'service_requests');
  const errors = total(frontends, 'service_errors');
  const measured = frontends.length > 0 && frontends.every((rise) => rise !== undefined);
  return {
    nodes: names.map((node, index) => {
      const samples = byNode[index] ?? [];
      return { node, up: samples.filter((sample) => sample?.metrics !== undefined).length, of: samples.length };
    }),
    requests,
    errors,
    errorRatio: measured && requests > 0 ? errors / requests : null,
    restarts: byNode.filter(wasRestarted).length,
    unexpected: Object.fromEntries(
      NEVER_EXPECTED.map((name) => [name, total(rises, name)] as const).filter(([, rise]) => rise > 0),
    ),
  };
}

/** What the counters of one node rose by; undefined when a page of one end is missing. */
function riseOf(samples: readonly (NodeSample | undefined)[]): readonly MetricSample[] | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first?.metrics === undefined || last?.metrics === undefined) return undefined;
  // Another process counts from zero: all that it shows belongs to the window.
  if (first.node.instance !== last.node.instance) return last.metrics;
  return diffCounters(first.metrics, last.metrics).samples;
}

function total(rises: readonly (readonly MetricSample[] | undefined)[], counter: string): number {
  // The label keeps a frontend's own requests apart from those of other roles in the same process.
  return rises.reduce((sum, rise) => sum + (rise === undefined ? 0 : (sumCounters(rise, counter) ?? 0)), 0);
}

function roleOf(samples: readonly (NodeSample | undefined)[] | undefined): string | undefined {
  return samples?.find((sample) => sample !== undefined)?.node.role;
}

function wasRestarted(samples: readonly (NodeSample | undefined)[]): boolean {
  return new Set(samples.map((sample) => sample?.node.instance)).size > 1;
}

/** What the load did in this window. */
async function loadOfWindow(load: LoadRequest, before: LoadCounts): Promise<LoadCounts> {
  const after = await readLedger(load);
  const { lost, duplicated, wrong, failed } = after;
  return {
    started: after.started - before.started,
    failedCalls: after.failedCalls - before.failedCalls,
    ...{ lost, duplicated, wrong, failed },
  };
}
