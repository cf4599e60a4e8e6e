import { z } from 'zod';
import { Duration, formatDuration } from '../duration.js';
import { ENVIRONMENTS } from '../plan.js';
import { Bounds } from './bounds.js';
import { Policy, type RolloutInput } from './input.js';

/** A rule of a roll-out that is not the default one, in words for people. */
export interface PolicyDifference {
  /** As it stands in the input, such as `policy.settle.atLeast`. */
  readonly field: string;
  readonly value: string;
  readonly byDefault: string;
  /** Why, where the input says so. */
  readonly reason?: string | undefined;
}

/** Every rule of the policy, and every bound of a target, that is not as it is by default. Nothing that could be a secret. */
export function policyDifferences({
  policy,
  staging,
  live,
}: Pick<RolloutInput, 'policy' | 'staging' | 'live'>): PolicyDifference[] {
  const { reason } = policy.settle;
  const ofTargets = ENVIRONMENTS.flatMap((environment) =>
    Object.entries({ staging, live }[environment].bounds ?? {}).flatMap(([bound, value]) =>
      differences({
        field: `${environment}.bounds.${bound}`,
        schema: Bounds,
        value,
        byDefault: defaultBound(policy, bound),
      }),
    ),
  );
  const ofPolicy = differences({ field: 'policy', schema: Policy, value: policy, byDefault: Policy.parse({}) });
  return [...ofPolicy.filter(({ field }) => field !== SETTLE_REASON), ...ofTargets].map((difference) =>
    reason !== undefined && difference.field.startsWith('policy.settle.') ? { ...difference, reason } : difference,
  );
}

const SETTLE_REASON = 'policy.settle.reason';
/** They may name a webhook whose address is a secret. */
const CHANNELS = 'policy.notices.channels';

function defaultBound({ observation: { bounds } }: Policy, bound: string): unknown {
  return new Map<string, unknown>(Object.entries(bounds)).get(bound);
}

interface Place {
  readonly field: string;
  readonly schema: unknown;
  readonly value: unknown;
  readonly byDefault: unknown;
}

function differences({ field, schema, value, byDefault }: Place): PolicyDifference[] {
  const bare = bareOf(schema);
  if (!(bare instanceof z.ZodObject) || !isRecord(value)) {
    if (JSON.stringify(value) === JSON.stringify(byDefault)) return [];
    return [{ field, value: shown(field, bare, value), byDefault: shown(field, bare, byDefault) }];
  }
  // What is left out as a whole by default is told by that, and then held against its own defaults.
  const own = isRecord(byDefault) ? byDefault : bare.safeParse({}).data;
  const whole = isRecord(byDefault) ? [] : [{ field, value: 'set', byDefault: NOT_SET }];
  const parts = Object.entries(bare.shape).flatMap(([name, part]) =>
    differences({ field: `${field}.${name}`, schema: part, value: value[name], byDefault: own?.[name] }),
  );
  return [...whole, ...parts];
}

/** Without the wrappers that make it optional or give it a default. */
function bareOf(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return bareOf(schema.unwrap());
  return schema;
}

const NOT_SET = 'not set';
const LONGEST = 200;

function shown(field: string, schema: unknown, value: unknown): string {
  if (value === undefined) return NOT_SET;
  if (field === CHANNELS && Array.isArray(value)) return value.map(typeOf).join(', ') || 'none';
  if (schema === Duration && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ') || 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

function typeOf(channel: unknown): string {
  return isRecord(channel) && typeof channel['type'] === 'string' ? channel['type'] : 'a channel';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
