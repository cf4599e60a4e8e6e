import type { LoadMix, LoadPolicy } from '../core/input/input.js';
import { namespacesOf } from '../core/input/load-namespaces.js';
import { SCENARIOS, type Scenario } from './canary-plan.js';
import type { EntryKind } from './ledger.js';
import {
  canaryTaskQueueOf,
  ownCommand,
  simpleTaskQueueOf,
  uncachedTaskQueueOf,
  type StartCommand,
} from './start-command.js';

/** What is started next. */
export interface Choice {
  readonly kind: EntryKind;
  readonly command: StartCommand;
}

/** Starts at one rate. */
export interface Stream {
  readonly startsPerSecond: number;
  /** The same number always gives the same choice. */
  choose(number: number): Choice;
}

interface Weighted<T> {
  readonly weight: number;
  readonly value: T;
}

/** Weights of every scenario of the profile; a profile that says nothing has steps alone. */
export function weightsOf(policy: Pick<LoadPolicy, 'mix'>): LoadMix {
  const { mix = { steps: 1 } } = policy;
  return mix === 'everything' ? Object.fromEntries(SCENARIOS.map((scenario) => [scenario, 1])) : mix;
}

/**
 * The streams of a profile: one for the mix and what is weighed against it, and one for each workflow of the operator's
 * with a rate of its own. `mix` is what of the profile's the target can do, `ownWeights` what was copied, by workflow type.
 */
export function streamsOf(
  policy: LoadPolicy,
  options: {
    readonly loadId: string;
    readonly mix: LoadMix;
    readonly ownWeights?: Readonly<Record<string, number>> | undefined;
  },
): readonly Stream[] {
  const { loadId, mix, ownWeights } = options;
  const { own = [], uncachedShare = 0 } = policy;
  const commands = namespacesOf(policy).map((namespace) => ({
    cached: { namespace, taskQueue: canaryTaskQueueOf(loadId) },
    uncached: { namespace, taskQueue: uncachedTaskQueueOf(loadId) },
    simple: { namespace, taskQueue: simpleTaskQueueOf(loadId) },
  }));
  const canary = (kind: Scenario) => (number: number) => {
    const place = commands[Math.floor(spread(number, 1) * commands.length)] ?? commands[0];
    const cache = spread(number, 2) < uncachedShare ? 'uncached' : 'cached';
    const command = place?.[kind === 'simple' ? 'simple' : cache];
    return command === undefined ? undefined : { kind, command };
  };
  const weighed: Weighted<(number: number) => Choice | undefined>[] = SCENARIOS.flatMap((kind) => {
    const weight = mix[kind];
    return weight === undefined ? [] : [{ weight, value: canary(kind) }];
  });
  for (const workflow of own.filter(({ startsPerSecond }) => startsPerSecond === undefined)) {
    const weight = ownWeights === undefined ? (workflow.weight ?? 1) : (ownWeights[workflow.workflowType] ?? 0);
    const choice = { kind: 'own', command: ownCommand(workflow) } as const;
    if (weight > 0) weighed.push({ weight, value: () => choice });
  }
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const mixed: Stream = {
    startsPerSecond: policy.startsPerSecond,
    choose(number) {
      const choice = pick(weighed, spread(number, 0) * total)?.(number);
      if (choice === undefined) throw new Error('nothing to choose from');
      return choice;
    },
  };
  return [
    ...(weighed.length > 0 ? [mixed] : []),
    ...own.flatMap((workflow) => {
      const { startsPerSecond } = workflow;
      if (startsPerSecond === undefined) return [];
      const choice = { kind: 'own', command: ownCommand(workflow) } as const;
      return [{ startsPerSecond, choose: () => choice }];
    }),
  ];
}

/** Fractional parts of multiples of these are spread evenly in three dimensions at once (M. Roberts, the R3 sequence). */
const STEPS = [0.8191725133961645, 0.6710436067037893, 0.5497004779019703] as const;

/** A number in [0, 1): evenly spread over any stretch of numbers, so that no stretch of a roll lacks a scenario. */
function spread(number: number, dimension: 0 | 1 | 2): number {
  return (0.5 + number * STEPS[dimension]) % 1;
}

function pick<T>(all: readonly Weighted<T>[], point: number): T | undefined {
  let left = point;
  for (const { weight, value } of all) {
    if (left < weight) return value;
    left -= weight;
  }
  return all.at(-1)?.value;
}
