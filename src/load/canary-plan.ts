/**
 * What one canary does and what must come of it, computed from its number alone: the workflow follows this plan, and the
 * verification compares the target's history with it. Pure, as it runs in the workflow sandbox too.
 *
 * Every step has an id or a count of its own, so that "none twice" can be read from the history.
 */

/** What a canary exercises; a profile mixes them. Written into ledgers, and into histories on the target. */
export const SCENARIOS = [
  'steps',
  'simple',
  'queries',
  'updates',
  'continueAsNew',
  'searchAttributes',
  'largePayloads',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Besides those of a mix: `long` ones start before a hop, are released after it, and end then. */
export type CanaryKind = Scenario | 'long';

/** `flaky` fails on its first attempt, so the server has to retry it; `slow` heartbeats for a while; `large` gets and gives much. */
export type ActivityBehaviour = 'plain' | 'flaky' | 'slow' | 'large';

/** Something that the generator asks of a canary, one after the other. A signal or update has its id as request id too. */
export interface PlannedCall {
  readonly call: 'signal' | 'query' | 'update';
  readonly id: string;
}

export interface CanaryPlan {
  /** Each run does all of them once, with the run's own ids. */
  readonly activities: readonly { readonly id: string; readonly behaviour: ActivityBehaviour }[];
  /** How many runs it is made of: all but the last continue as new. */
  readonly runs: number;
  /** Milliseconds of each timer that has to fire, whatever happens. */
  readonly timersMs: readonly number[];
  /**
   * A long canary has two timers more. With one it waits for its release, up to a deadline; the other is this alarm, which
   * has to fire when it falls due before the release, and is cancelled when it does not.
   */
  readonly alarmMs: number | null;
  /** Calls that have to arrive, in this order. */
  readonly calls: readonly PlannedCall[];
  /** Workflow id of its child; null when it has none. */
  readonly childId: string | null;
  /** Value of its search attribute; null when it sets none. */
  readonly attribute: string | null;
}

export interface CanaryInput {
  readonly number: number;
  readonly kind: CanaryKind;
  /** How long a long canary waits for its release, in milliseconds. */
  readonly deadlineMs: number;
  /** What the runs before this one left, when it continued as new. */
  readonly before?: readonly number[];
}

export interface CanaryResult {
  readonly number: number;
  /** Grows together from what each step returned, in the order of the plan. */
  readonly digest: number;
}

/** Answer of a canary to a query: the value of the query's id, and how many signals it has. */
export interface CanaryAnswer {
  readonly value: number;
  readonly signals: number;
}

/** Names that live in histories on the target. */
export const CANARY_WORKFLOW = 'canary';
export const CANARY_CHILD_WORKFLOW = 'canaryChild';
export const CANARY_TICK_WORKFLOW = 'canaryTick';
export const CANARY_SIGNAL = 'step';
export const CANARY_QUERY = 'ask';
export const CANARY_UPDATE = 'change';
/** Not with `Temporal` at its beginning: that is the server's own. */
export const CANARY_ATTRIBUTE = 'UpgradeCanary';

/** Well below the size at which a server warns (limit.blobSize.warn, 256 KiB at the smallest). */
export const LARGE_BYTES = 100_000;
const RUNS = 3;

/** What a kind of canary is made of: the beginning of its plan. */
interface Shape {
  readonly behaviours: readonly ActivityBehaviour[];
  readonly timersMs?: readonly number[];
  readonly calls?: readonly PlannedCall['call'][];
  readonly child?: boolean;
  readonly runs?: number;
}

function shapeOf(number: number, kind: CanaryKind): Shape {
  // Spread by number, so that at each moment of a roll some timers are about to fire.
  const timersMs = [300 + ((number * 379) % 1_700), 300 + ((number * 617) % 1_700)];
  // Not all do all: on a small target a canary a second is work enough, and the mix has everything in any four of them.
  const odd = number % 2 === 1;
  switch (kind) {
    case 'steps': {
      const behaviours = ['plain', odd ? 'slow' : 'flaky'] as const;
      return { behaviours, timersMs, calls: odd ? ['signal'] : ['signal', 'signal'], child: number % 4 === 3 };
    }
    case 'long':
      return { behaviours: ['plain', 'flaky', 'slow'], timersMs, calls: ['signal'], child: true };
    case 'simple':
      return { behaviours: ['plain'] };
    case 'queries':
      // The last one may find it closed: then a worker has to replay the history to answer.
      return { behaviours: ['plain'], calls: ['query', 'signal', 'query'] };
    case 'updates':
      return { behaviours: ['plain'], calls: ['update', 'update'] };
    case 'continueAsNew':
      return { behaviours: ['plain'], runs: RUNS };
    case 'searchAttributes':
      return { behaviours: ['plain'] };
    case 'largePayloads':
      return { behaviours: ['large', 'large'] };
  }
}

/** The plan of canary `number`; `workflowId` names its child and its search attribute, `run` counts from 0. */
export function planCanary(number: number, kind: CanaryKind, workflowId: string, run = 0): CanaryPlan {
  const shape = shapeOf(number, kind);
  const { timersMs = [], child = false, runs = 1 } = shape;
  return {
    activities: activitiesOf(number, shape, run),
    runs,
    timersMs,
    // Spread over half an hour: set before the hop, they fall due all through it.
    alarmMs: kind === 'long' ? 2_000 + ((number * 37_000) % 1_800_000) : null,
    calls: callsOf(number, shape),
    childId: child ? `${workflowId}-child` : null,
    attribute: kind === 'searchAttributes' ? workflowId : null,
  };
}

/** What canary `number` returns when all of its plan has come about. */
export function resultOf(number: number, kind: CanaryKind): CanaryResult {
  const shape = shapeOf(number, kind);
  const { child = false, runs = 1 } = shape;
  const values = [
    ...Array.from({ length: runs }, (_, run) => activitiesOf(number, shape, run)).flatMap((activities) =>
      activities.map(({ id, behaviour }) => activityValueOf(id, behaviour)),
    ),
    // A query leaves nothing behind: its answer is judged when it comes.
    ...callsOf(number, shape)
      .filter(({ call }) => call !== 'query')
      .map(({ id }) => valueOf(id)),
    ...(child ? [childValueOf(number)] : []),
  ];
  return { number, digest: values.reduce(mix, number) };
}

function activitiesOf(number: number, { behaviours }: Shape, run: number): CanaryPlan['activities'] {
  return behaviours.map((behaviour, i) => ({ id: `c-${number}-a-${run * behaviours.length + i}`, behaviour }));
}

function callsOf(number: number, { calls = [] }: Shape): CanaryPlan['calls'] {
  return calls.map((call, index) => ({ call, id: `c-${number}-${call.slice(0, 1)}-${index}` }));
}

/** What the canary must answer to call `index` of its plan, when that is a query. */
export function answerTo(plan: Pick<CanaryPlan, 'calls'>, index: number): CanaryAnswer {
  const signals = plan.calls.slice(0, index).filter(({ call }) => call === 'signal').length;
  return { value: valueOf(plan.calls[index]?.id ?? ''), signals };
}

// A global is slow to look up in a sandbox, and a long text takes a hundred thousand look-ups.
const { imul } = Math;

/** What a step returns, or a signal carries: a number that only its id gives. FNV-1a, 32 bits. */
export function valueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** What an activity returns. One with much to carry returns the value of all that it was given. */
export function activityValueOf(id: string, behaviour: ActivityBehaviour): number {
  return behaviour === 'large' ? valueOf(largeTextOf(id)) : valueOf(id);
}

/** The text that an activity of behaviour `large` gets, and gives back: no two ids have the same. */
export function largeTextOf(id: string): string {
  const part = `${id}:${valueOf(id)};`;
  return part.repeat(Math.ceil(LARGE_BYTES / part.length)).slice(0, LARGE_BYTES);
}

/** What the child of canary `number` returns. */
export function childValueOf(number: number): number {
  return valueOf(`${CANARY_CHILD_WORKFLOW}-${number}`);
}

/** Folds one more value in; the order matters, so a step left out or done twice shows in the result. */
export function mix(digest: number, value: number): number {
  return (imul(digest ^ (value % 0x1_0000_0000), 0x9e3779b1) + 0x7f4a7c15) >>> 0;
}
