import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthAnswer, ProcessSurvey } from '../../core/survey/cluster-survey.js';
import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { ServerNode, Target, Tls } from '../../core/input/input.js';
import { nodesOf } from '../../core/input/listed-nodes.js';
import { type MetricSample, parseMetrics } from '../../core/measuring/metrics.js';
import { type ProcessMetrics, readProcessMetrics } from '../../core/survey/process-metrics.js';
import type { Seen } from '../../core/survey/seen.js';
import type { Supervisor } from '../../core/survey/supervision.js';
import { askHealth, checkHealth, HEALTH_SERVICES } from '../grpc-health.js';
import { surveyPodConfigurations } from '../kubernetes/survey-configuration.js';
import { readConfiguration } from '../process/read-configuration.js';
import { readStartErrors } from '../process/read-start-errors.js';
import { readSupervision } from '../process/read-supervision.js';
import { look } from './look.js';
import { scrape } from './metrics-scrape.js';
import { hasHealthService } from './node-health.js';
import { withTarget as withFrontend } from './target-connection.js';

/** Between the two pages of a process that show whether something goes on. */
const WINDOW_MS = 1_000;
/** Long enough for a host that is busy: a false alarm is worse than a survey that takes its time there. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Each process of the input, looked at by itself, all side by side. */
export async function surveyProcesses(target: Target, nodes: Seen<readonly NodeState[]>): Promise<ProcessSurvey[]> {
  const states = 'seen' in nodes ? nodes.seen : [];
  const pids = new Map(states.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, pid]])));
  // A unit and the operator's commands are themselves what starts processes again; only plain ones have no supervisor.
  const isPlain = target.driver.type === 'process';
  const supervision = isPlain ? await look(() => readSupervision([...pids.values()])) : { seen: 'theirs' as const };
  const ofPods = target.driver.type === 'kubernetes' ? surveyPodConfigurations(target.driver) : undefined;
  return Promise.all(
    nodesOf(target, states).map(async (node) => {
      const state = states.find(({ name }) => name === node.name);
      const pid = pids.get(node.name);
      const [health, metrics, configuration, startErrors] = await Promise.all([
        readHealth(target, node, state),
        readMetrics(node, state),
        ofPods?.then((configurationOf) => configurationOf(node.name)) ??
          readConfiguration(node, pid, state?.dynamicConfig),
        state?.running === false ? look(() => readStartErrors(node)) : ({ seen: [] } as const),
      ]);
      const supervisors = supervisorsOfNode(pid, state, supervision);
      const { name, role, rpcAddress } = node;
      return { name, role, rpcAddress, health, metrics, configuration, supervisors, startErrors };
    }),
  );
}

function supervisorsOfNode(
  pid: number | undefined,
  state: NodeState | undefined,
  supervision: Seen<ReadonlyMap<number, Seen<readonly Supervisor[]>> | 'theirs'>,
): Seen<readonly Supervisor[]> {
  if (state?.running === false) return { seen: [] };
  if ('unseen' in supervision) return supervision;
  if (supervision.seen === 'theirs') return { seen: [] };
  const found = pid === undefined ? undefined : supervision.seen.get(pid);
  return found ?? { unseen: 'which process it is is not known' };
}

async function readHealth(target: Target, node: ServerNode, state: NodeState | undefined): Promise<Seen<HealthAnswer>> {
  if (state?.running === false) return { seen: 'UNREACHABLE' };
  if (state !== undefined && !hasHealthService(node.role, state.version)) return { seen: 'NO_SERVICE' };
  const { connection, driver } = target;
  const service = HEALTH_SERVICES[node.role];
  return look(async () => {
    if (node.role !== 'frontend') return checkHealth(node.rpcAddress, service, driver.internodeTls, ANSWER_TIMEOUT_MS);
    if ('address' in connection) return checkHealth(node.rpcAddress, service, connection.tls, ANSWER_TIMEOUT_MS);
    // A profile holds its certificates as text; only a connection made of it can ask.
    return withFrontend(connection, ({ grpc }) => askHealth(grpc, service, ANSWER_TIMEOUT_MS), node.rpcAddress);
  });
}

/** What something at `address` says of itself as a `role`; what it is, and so its TLS, is not known for sure. */
export async function askStranger(
  address: string,
  role: string,
  tls: Tls | true | undefined,
): Promise<Seen<HealthAnswer>> {
  const service = Object.entries(HEALTH_SERVICES).find(([name]) => name === role)?.[1] ?? HEALTH_SERVICES.frontend;
  return look(() => checkHealth(address, service, tls, ANSWER_TIMEOUT_MS));
}

async function readMetrics(node: ServerNode, state: NodeState | undefined): Promise<Seen<ProcessMetrics>> {
  const { metricsAddress, name } = node;
  if (metricsAddress === undefined) return { unseen: 'the input names no "metricsAddress"' };
  if (state?.running === false) return { unseen: `${name} does not run` };
  try {
    const page = async (): Promise<MetricSample[]> => parseMetrics(await scrape(metricsAddress, ANSWER_TIMEOUT_MS));
    const before = await page();
    const beganAt = Date.now();
    await sleep(WINDOW_MS);
    const after = await page();
    return { seen: readProcessMetrics(before, after, Date.now() - beganAt) };
  } catch (error) {
    // Without the address: what is wrong with many is told of all of them at once.
    return { unseen: messageOf(error).replace(/^no metrics from \S+: /, '') };
  }
}
