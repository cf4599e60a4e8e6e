import { z } from 'zod';
import type { Observation } from '../measuring/observation.js';
import { STORE_PARTS } from '../stores.js';

const BeatCount = z.object({ due: z.int(), seen: z.int(), ends: z.boolean() });
const Run = z.object({ beats: z.int(), bad: z.int() });
const Streak = z.object({ good: z.int(), worst: Run, open: Run });
const Numbers = z.record(z.string(), z.number());

/** An observation as a file keeps it: what is compared with is checked, the rest is only shown. */
export const SavedObservation = z.object({
  /** 1 was without the verdict. */
  format: z.literal(2),
  target: z.string(),
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  observation: z.custom<Observation>(
    (value) =>
      z
        .object({
          kind: z.enum(['baseline', 'schema', 'roll', 'settled', 'watch']),
          startedAt: z.iso.datetime(),
          endedAt: z.iso.datetime(),
          beatMs: z.number().positive(),
          beats: BeatCount,
          processes: z.array(
            z.object({
              node: z.string(),
              role: z.string(),
              metrics: BeatCount,
              explained: z.int(),
              health: Streak,
              restarts: z.int(),
              versions: z.array(z.string()),
              residentBytes: z.number().optional(),
              cores: z.number().optional(),
              pod: z.literal(true).optional(),
            }),
          ),
          databases: z.array(
            z.object({
              store: z.enum(STORE_PARTS),
              beats: BeatCount,
              reached: Streak,
              queryMs: z.number().optional(),
              bytes: z.object({ first: z.number(), last: z.number() }).optional(),
              connections: z.object({ inUse: z.number(), allowed: z.number() }).optional(),
            }),
          ),
          rings: z.object({ due: z.int(), asked: z.int(), unequal: z.int() }),
          totals: Numbers,
          histograms: z.record(z.string(), z.array(z.tuple([z.number().nullable(), z.number()]))),
        })
        .safeParse(value).success,
  ),
});
export type SavedObservation = z.infer<typeof SavedObservation>;
