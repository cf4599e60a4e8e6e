import { z } from 'zod';

/** Share of requests, 0 to 1. The third-party guide rolls back at more than 5 %: no bound can be set looser. */
const MOST_ERROR_RATIO = 0.05;
const errorRatio = (standard: number, what: string) =>
  z.number().min(0).max(MOST_ERROR_RATIO).default(standard).describe(what);
const milliseconds = (standard: number, what: string) =>
  z.number().min(0).max(600_000).default(standard).describe(what);
const factor = (standard: number, what: string) => z.number().min(1).max(100).default(standard).describe(what);

const SHAPE = {
  minRequests: z
    .int()
    .nonnegative()
    .default(200)
    .describe('Fewer good requests in a window are no evidence. 0: error ratios are not judged where there are none.'),
  minBeats: z.int().min(2).default(5).describe('Fewer samples in a window are no evidence.'),
  minBeatShare: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.9)
    .describe('Share of the samples that every process and database must have given.'),
  errorRatioRise: errorRatio(0.001, 'Allowed rise of unexpected errors per request against the baseline.'),
  rollErrorRatio: errorRatio(0.01, 'Unexpected errors per request in any minute of a roll.'),
  persistenceErrorRatioRise: errorRatio(0.001, 'Allowed rise of errors per call to a store against the baseline.'),
  rollPersistenceErrorRatio: errorRatio(0.01, 'Errors per call to a store during a roll.'),
  workflowFailureRise: errorRatio(
    0.05,
    'Allowed rise of the share of workflows that end failed, timed out or terminated.',
  ),
  latencyFactor: factor(1.25, 'A latency may grow to this many times the baseline,'),
  latencyRiseMs: milliseconds(20, 'or by this many milliseconds, whichever is more.'),
  latencyMs: milliseconds(2_000, 'A p99 that is never allowed outside a roll, with or without a baseline.'),
  queueLagFactor: factor(1.5, 'The lag of shard queues may grow to this many times the baseline.'),
  backlogAgeRiseSeconds: z
    .number()
    .min(0)
    .default(5)
    .describe('Allowed rise of the age of the oldest task that waits, in seconds.'),
  databaseQueryMs: milliseconds(500, 'Median time of a trivial question to a database that is never allowed.'),
  databaseConnectionShare: z
    .number()
    .min(0)
    .max(0.98)
    .default(0.9)
    .describe('Share of the connections of a database server that may be in use.'),
  minLoadShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe('Share of the intended canaries that must have been started.'),
  probeGapFactor: factor(2, 'The longest time without a successful probe may grow to this many times the baseline,'),
  probeGapMs: milliseconds(1_000, 'or to this, whichever is more.'),
  rollProbeGapMs: milliseconds(
    5_000,
    'Longest time without a successful probe during a roll: half of what every SDK bridges.',
  ),
  rollProbeFailureRatio: errorRatio(0.001, 'Share of raw probe attempts that may fail during a roll.'),
};

/** What a window may show. Every bound has a strict default; docs/observation.md says where each comes from. */
export const Bounds = z.strictObject(SHAPE);
export type Bounds = z.infer<typeof Bounds>;

/** Bounds of one target: only what differs from those of the policy. */
export const BoundsOverride = z.strictObject(
  Object.fromEntries(
    Object.entries(SHAPE).map(([name, type]) => [
      name,
      type
        .unwrap()
        .optional()
        .describe(type.description ?? ''),
    ]),
  ) as {
    readonly [name in keyof typeof SHAPE]: z.ZodOptional<ReturnType<(typeof SHAPE)[name]['unwrap']>>;
  },
);
export type BoundsOverride = z.infer<typeof BoundsOverride>;

/** The bounds of the policy with those that a target sets for itself. */
export function boundsOf(policy: Bounds, target: { readonly bounds?: BoundsOverride | undefined }): Bounds {
  const own = Object.entries(target.bounds ?? {}).filter(([, value]) => value !== undefined);
  return { ...policy, ...Object.fromEntries(own) };
}
