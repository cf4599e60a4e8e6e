import { measureBackup, type MeasuredBackup } from './measure-backup.js';
import { measureKubernetesPreflight, type MeasuredKubernetesPreflight } from './measure-kubernetes-preflight.js';
import { measureLedger, type MeasuredLedger } from './measure-ledger.js';
import { measureLoad, type MeasuredLoad, type MeasuredScenario } from './measure-load.js';
import { measurePlanning, type MeasuredPlanning } from './measure-planning.js';
import { measurePreflight, type MeasuredPreflight } from './measure-preflight.js';
import { measureRolls, type MeasuredRolls } from './measure-roll.js';
import { measureRoleOverhead, type MeasuredRoleOverhead } from './measure-role-overhead.js';
import { measureRollout, type MeasuredRollout } from './measure-rollout.js';
import { measureSettle, type MeasuredSettle } from './measure-settle.js';
import { measureInspection, type MeasuredInspection } from './measure-stores.js';
import { rangeOf, type MeasuredRoll } from './roll/measured-roll.js';
import { WAYS, type Way } from './roll/ways.js';

/** A number that the project promises to keep within its goal. */
export interface Figure<Measured> {
  readonly name: string;
  readonly unit: string;
  readonly goal: number;
  /** Whether the goal is the lowest value that will do; the highest when left out. */
  readonly atLeast?: true;
  /** The value, and what it is to be seen against, measured in the same run. */
  readonly read: (measured: Measured) => { readonly value: number; readonly anchor: string };
}

/** A figure as it came out. */
export interface Result {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly anchor: string;
  readonly goal: number;
  readonly holds: boolean;
}

type Say = (line: string) => void;

/** One measurement, and the figures that it gives. */
export interface Measurement {
  readonly names: readonly string[];
  /** Measures, and gives those of its figures that are wanted. */
  run(wanted: readonly string[], onProgress: Say): Promise<Result[]>;
}

function measurement<T>(measure: (onProgress: Say) => Promise<T>, figures: readonly Figure<T>[]): Measurement {
  return {
    names: figures.map(({ name }) => name),
    run: async (wanted, onProgress) => {
      const measured = await measure(onProgress);
      return figures
        .filter(({ name }) => wanted.includes(name))
        .map(({ name, unit, goal, atLeast, read }) => {
          const { value, anchor } = read(measured);
          return { figure: name, value, unit, anchor, goal, holds: atLeast ? value >= goal : value <= goal };
        });
    },
  };
}

const MIB = 1024 * 1024;

const PLANNING: readonly Figure<MeasuredPlanning>[] = [
  {
    name: 'plan-time',
    unit: 'ms',
    goal: 50,
    read: ({ slowestMs, what, plans, repeats }) => ({
      value: round(slowestMs, 1),
      anchor: `${what}, the slowest of ${plans} plans of the longest path, one for each combination of stores; each the median of ${repeats} with nothing remembered`,
    }),
  },
];

const PREFLIGHT: readonly Figure<MeasuredPreflight>[] = [
  {
    name: 'preflight-time',
    unit: 's',
    goal: 5,
    read: ({ seconds, processes, blocking }) => ({
      value: round(medianOf(seconds), 2),
      anchor: `median of ${seconds.map((each) => round(each, 2)).join(', ')}; two nodes, ${processes} processes, ${blocking} blocking findings`,
    }),
  },
];

const KUBERNETES_PREFLIGHT: readonly Figure<MeasuredKubernetesPreflight>[] = [
  {
    name: 'kubernetes-preflight',
    unit: 's',
    goal: 5,
    read: ({ seconds, pods, blocking }) => ({
      value: round(medianOf(seconds), 2),
      anchor:
        `median of ${seconds.map((each) => round(each, 2)).join(', ')}: rights, chart rendered for both versions, everything that is looked at, findings; ` +
        `${pods} pods of a release of helm, ${blocking} blocking findings. API server, controllers, helm and Temporal's servers are real, the kubelet that leads them as pods is simulated`,
    }),
  },
];

const ROLE_OVERHEAD: readonly Figure<MeasuredRoleOverhead>[] = [
  {
    name: 'kubernetes-role-overhead',
    unit: 's',
    goal: 3,
    read: ({ roles, readyAfterMs }) => ({
      value: round(Math.max(...roles.map(({ overhead }) => overhead)), 2),
      anchor:
        `the slowest role, forward and back: ${roles.map(({ role, pods, overhead }) => `${role} of ${pods} pods ${round(overhead, 2)}`).join(', ')}. ` +
        `Of each step the time until the driver has seen its pod ready, of the last one until every old pod is gone, without the time from the first sight of ` +
        `a pod until it was ready (${round(medianOf(roles.map(({ pods, readySeconds }) => readySeconds / pods)), 2)} s each); changed by image. API server and controllers are real, pods are simulated: ` +
        `each is ready after ${round(readyAfterMs / 1_000, 1)} s and ends at once, and what a restarted server has to show besides is not in it`,
    }),
  },
];

const ROLLOUT: readonly Figure<MeasuredRollout>[] = [
  {
    name: 'orchestration-overhead',
    unit: 'ratio',
    goal: 0.1,
    read: ({ hopSeconds, byHandSeconds }) => ({
      value: round(hopSeconds / byHandSeconds - 1, 3),
      anchor: `the hop took ${round(hopSeconds, 1)} s; its tools, processes and waits alone ${round(byHandSeconds, 1)} s`,
    }),
  },
  {
    name: 'history-events-per-hop',
    unit: 'events',
    goal: 250,
    read: ({ historyEvents }) => ({
      value: Math.max(...historyEvents.map(({ events }) => events)),
      anchor: historyEvents.map(({ hop, nodes, events }) => `${hop} with ${nodes} nodes: ${events}`).join(', '),
    }),
  },
  {
    name: 'worker-memory',
    unit: 'MiB',
    goal: 400,
    read: ({ workerPeakBytes }) => ({
      value: round(workerPeakBytes / MIB, 1),
      anchor: 'peak resident memory of the worker process over the whole roll-out (VmHWM), load on staging included',
    }),
  },
];

const LOAD: readonly Figure<MeasuredLoad>[] = [
  {
    name: 'load-generator-rate',
    unit: 'verified starts per second per core',
    goal: 150,
    atLeast: true,
    read: ({ simple, steps }) => ({
      value: round(simple.verified / simple.cpuSeconds, 1),
      anchor:
        `one activity each, at ${simple.startsPerSecond}/s: ${describe(simple)}; ` +
        `with all steps, at ${steps.startsPerSecond}/s: ${round(steps.verified / steps.cpuSeconds, 1)} per second per core, ${describe(steps)}`,
    }),
  },
  {
    name: 'load-generator-overhead',
    unit: 'ratio',
    goal: 0.05,
    read: ({ simple }) => ({
      value: round(simple.cpuSeconds / simple.serverCpuSeconds, 3),
      anchor: `CPU of the whole load process to that of the servers, database not counted; ${describe(simple)}`,
    }),
  },
];

function describe({ verified, cpuSeconds, serverCpuSeconds, p99Ms }: MeasuredScenario): string {
  return `${verified} verified in ${round(cpuSeconds, 1)} s of CPU, the servers took ${round(serverCpuSeconds, 1)} s, 99 % started within ${p99Ms} ms`;
}

const LEDGER: readonly Figure<MeasuredLedger>[] = [
  {
    name: 'ledger-memory',
    unit: 'MiB',
    goal: 512,
    read: ({ peakBytes, ids, verifySeconds }) => ({
      value: round(peakBytes / MIB, 1),
      anchor: `peak resident memory (VmHWM) of the process that verified ${ids} ids one by one in ${round(verifySeconds, 0)} s`,
    }),
  },
];

/** Of a store: `settle-proof` for PostgreSQL. */
const settleOf = (name: string, goal: number): readonly Figure<MeasuredSettle>[] => [
  {
    name,
    unit: 's',
    goal,
    read: ({ product, seconds, shards, rowBytes, fileBytes }) => ({
      value: round(Math.max(...seconds), 2),
      anchor:
        `the slowest of ${seconds.map((each) => round(each, 2)).join(', ')}: ${shards} rows of ${rowBytes} bytes read from ${product}, ` +
        `all of them changed since the pass before, kept in a file (${round(fileBytes / MIB, 1)} MiB in all), judged and drawn`,
    }),
  },
];

const INSPECTION: readonly Figure<MeasuredInspection>[] = [
  {
    name: 'store-inspect',
    unit: 's',
    goal: 2,
    read: ({ stores }) => ({
      value: round(Math.max(...stores.map(({ seconds }) => seconds)), 2),
      anchor: `the slowest of ${stores.map(({ product, seconds }) => `${product} ${round(seconds, 2)}`).join(', ')}; each the median of its looks`,
    }),
  },
];

const BACKUP: readonly Figure<MeasuredBackup>[] = [
  {
    name: 'backup-overhead',
    unit: 'ratio',
    goal: 0.05,
    read: ({ pairs, bytes, fileBytes }) => ({
      value: round(medianOf(pairs.map(({ backup, tool }) => backup / tool)) - 1, 3),
      anchor:
        `median of ${pairs.length} pairs, in turns: ${pairs.map(({ backup, tool }) => `${round(backup, 2)} to ${round(tool, 2)} s`).join(', ')}; ` +
        `rows counted, read back and hashed, to pg_dump alone; a database of ${round(bytes / MIB, 0)} MiB, a file of ${round(fileBytes / MIB, 0)} MiB`,
    }),
  },
];

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const ROLLS: readonly Figure<MeasuredRolls>[] = [
  {
    name: 'failed-calls',
    unit: 'calls and canaries',
    goal: 0,
    read: ({ rolls, startsPerSecond }) => ({
      value: sum(of('careful', rolls), ({ failedCalls, problems }) => failedCalls + problems.length),
      anchor: `default settings; ${eachWay(rolls, (own) => `${sum(own, ({ failedCalls }) => failedCalls)} in ${own.length} rolls`)}; ${startsPerSecond} canaries a second`,
    }),
  },
  {
    name: 'failed-attempts',
    unit: 'raw attempts',
    goal: 0,
    read: ({ rolls }) => ({
      value: sum(of('careful', rolls), ({ failedAttempts }) => failedAttempts),
      anchor: `default settings; ${attemptsOfEach(rolls)}`,
    }),
  },
  {
    name: 'failed-attempts-strict',
    unit: 'raw attempts',
    goal: 0,
    read: ({ rolls }) => ({
      value: sum(of('strict', rolls), ({ failedAttempts }) => failedAttempts),
      anchor: attemptsOfEach(rolls),
    }),
  },
  {
    name: 'slowest-call-strict',
    unit: 'ms',
    goal: 1_000,
    read: ({ rolls }) => ({
      value: slowest(of('strict', rolls)),
      anchor: `raw calls during the roll; ${eachWay(rolls, (own) => String(slowest(own)))}`,
    }),
  },
  {
    name: 'longest-gap',
    unit: 'ms',
    goal: 1_000,
    read: ({ rolls }) => ({
      value: longestGap([...of('careful', rolls), ...of('strict', rolls)]),
      anchor: `of default settings and strict; ${eachWay(rolls, (own) => String(longestGap(own)))}`,
    }),
  },
  {
    name: 'roll-p99',
    unit: 'of what is allowed',
    goal: 1,
    read: ({ rolls }) => ({
      value: round(Math.max(...tails(rolls)), 2),
      anchor:
        `the larger of p99 with default settings over the better one by hand, and p99 of strict over twice that before it; ms before and during: ` +
        eachWay(rolls, (own) => `${p99(own, 'before')} and ${p99(own, 'during')}`),
    }),
  },
  {
    name: 'roll-time',
    unit: 'ratio',
    goal: 1.05,
    read: ({ rolls }) => ({
      value: round(seconds(of('careful', rolls)) / seconds(of('careful by hand', rolls)), 3),
      anchor: `default settings to the careful script; seconds: ${eachWay(rolls, (own) => String(round(seconds(own), 0)))}`,
    }),
  },
];

/** @throws Error when none was measured: its figure would hold for want of anything that could fail */
function of(way: Way, rolls: readonly MeasuredRoll[]): MeasuredRoll[] {
  const own = rolls.filter((one) => one.way === way);
  if (own.length === 0) throw new Error(`no roll of the way "${way}" was measured; leave WAYS out for the figures`);
  return own;
}

function eachWay(rolls: readonly MeasuredRoll[], tell: (own: readonly MeasuredRoll[]) => string): string {
  return WAYS.map((way) => ({ way, own: rolls.filter((one) => one.way === way) }))
    .filter(({ own }) => own.length > 0)
    .map(({ way, own }) => `${way}: ${tell(own)}`)
    .join(', ');
}

function sum(rolls: readonly MeasuredRoll[], read: (one: MeasuredRoll) => number): number {
  return rolls.reduce((total, one) => total + read(one), 0);
}

function attemptsOfEach(rolls: readonly MeasuredRoll[]): string {
  return eachWay(
    rolls,
    (own) => `${sum(own, ({ failedAttempts }) => failedAttempts)} of ${sum(own, ({ attempts }) => attempts)}`,
  );
}

function slowest(rolls: readonly MeasuredRoll[]): number {
  return round(Math.max(...rolls.map(({ latencyMs }) => latencyMs.during.max)), 0);
}

function longestGap(rolls: readonly MeasuredRoll[]): number {
  return Math.max(...rolls.map(({ longestGapMs }) => longestGapMs));
}

/** Medians of all rolls. */
function p99(rolls: readonly MeasuredRoll[], when: 'before' | 'during'): number {
  return round(rangeOf(rolls.map(({ latencyMs }) => latencyMs[when].p99)).median, 0);
}

function seconds(rolls: readonly MeasuredRoll[]): number {
  return rangeOf(rolls.map((one) => one.seconds)).median;
}

function tails(rolls: readonly MeasuredRoll[]): number[] {
  const during = (way: Way) => p99(of(way, rolls), 'during');
  return [
    during('careful') / Math.min(during('documented'), during('careful by hand')),
    during('strict') / (2 * p99(of('strict', rolls), 'before')),
  ];
}

export const MEASUREMENTS: readonly Measurement[] = [
  measurement(measurePlanning, PLANNING),
  measurement(measurePreflight, PREFLIGHT),
  measurement(measureKubernetesPreflight, KUBERNETES_PREFLIGHT),
  measurement(measureRoleOverhead, ROLE_OVERHEAD),
  measurement(measureRollout, ROLLOUT),
  measurement(measureLoad, LOAD),
  measurement(measureLedger, LEDGER),
  measurement((say) => measureSettle('postgres', say), settleOf('settle-proof', 5)),
  measurement((say) => measureSettle('mysql', say), settleOf('settle-proof-mysql', 5)),
  measurement((say) => measureSettle('cassandra', say), settleOf('settle-proof-cassandra', 15)),
  measurement((say) => measureSettle('admin', say), settleOf('settle-proof-admin', 30)),
  measurement(measureInspection, INSPECTION),
  measurement(measureBackup, BACKUP),
  measurement(measureRolls, ROLLS),
];

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
