/**
 * What one canary does and what must come of it, computed from its number alone: the workflow follows this plan, and the
 * verification compares the target's history with it. Pure, as it runs in the workflow sandbox too.
 *
 * Every step has an id or a count of its own, so that "none twice" can be read from the history.
 */

/** `short` ones live for seconds; `long` ones start before a hop, are released after it, and end then. */
export type CanaryKind = 'short' | 'long';

/** `flaky` fails on its first attempt, so the server has to retry it; `slow` heartbeats for a while. */
export type ActivityBehaviour = 'plain' | 'flaky' | 'slow';

export interface CanaryPlan {
  readonly activities: readonly { readonly id: string; readonly behaviour: ActivityBehaviour }[];
  /** Milliseconds of each timer that has to fire, whatever happens. */
  readonly timersMs: readonly number[];
  /**
   * A long canary has two timers more. With one it waits for its release, up to a deadline; the other is this alarm, which
   * has to fire when it falls due before the release, and is cancelled when it does not.
   */
  readonly alarmMs: number | null;
  /** Ids of the signals that have to arrive; they are also the ids of the requests that send them. */
  readonly signals: readonly string[];
  /** Workflow id of its child; null when it has none. */
  readonly childId: string | null;
  readonly result: CanaryResult;
}

export interface CanaryInput {
  readonly number: number;
  readonly kind: CanaryKind;
  /** How long a long canary waits for its release, in milliseconds. */
  readonly deadlineMs: number;
}

export interface CanaryResult {
  readonly number: number;
  /** Grows together from what each step returned, in the order of the plan. */
  readonly digest: number;
}

/** Names that live in histories on the target. */
export const CANARY_WORKFLOW = 'canary';
export const CANARY_CHILD_WORKFLOW = 'canaryChild';
export const CANARY_SIGNAL = 'step';

/** The plan of canary `number`; `workflowId` only names its child. */
export function planCanary(number: number, kind: CanaryKind, workflowId: string): CanaryPlan {
  const id = (letter: string, index: number) => `c-${number}-${letter}-${index}`;
  // Not all do all: on a small target a canary a second is work enough, and the mix has everything in any four of them.
  const odd = number % 2 === 1;
  const behaviours: readonly ActivityBehaviour[] =
    kind === 'long' ? ['plain', 'flaky', 'slow'] : ['plain', odd ? 'slow' : 'flaky'];
  const activities = behaviours.map((behaviour, i) => ({ id: id('a', i), behaviour }));
  // Spread by number, so that at each moment of a roll some timers are about to fire.
  const timersMs = [300 + ((number * 379) % 1_700), 300 + ((number * 617) % 1_700)];
  const signals = kind === 'long' || odd ? [id('s', 0)] : [id('s', 0), id('s', 1)];
  const childId = kind === 'long' || number % 4 === 3 ? `${workflowId}-child` : null;
  const values = [
    ...activities.map(({ id }) => valueOf(id)),
    ...signals.map(valueOf),
    ...(childId === null ? [] : [childValueOf(number)]),
  ];
  return {
    activities,
    timersMs,
    // Spread over half an hour: set before the hop, they fall due all through it.
    alarmMs: kind === 'long' ? 2_000 + ((number * 37_000) % 1_800_000) : null,
    signals,
    childId,
    result: { number, digest: values.reduce(mix, number) },
  };
}

/** What a step returns, or a signal carries: a number that only its id gives. FNV-1a, 32 bits. */
export function valueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** What the child of canary `number` returns. */
export function childValueOf(number: number): number {
  return valueOf(`${CANARY_CHILD_WORKFLOW}-${number}`);
}

/** Folds one more value in; the order matters, so a step left out or done twice shows in the result. */
export function mix(digest: number, value: number): number {
  return (Math.imul(digest ^ (value % 0x1_0000_0000), 0x9e3779b1) + 0x7f4a7c15) >>> 0;
}
