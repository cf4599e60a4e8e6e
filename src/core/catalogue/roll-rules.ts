import { z } from 'zod';
import { RollClients, RollStyle, Role } from '../input/input.js';
import { ServerRange, Source } from './rule-parts.js';

/** What the catalogue knows of replacing servers: settings that make it gentle, and what they cannot do. */

/** As Go reads it and as people write it: whole seconds. */
const Seconds = z.string().regex(/^\d+s$/, 'expected seconds such as "15s"');
const WrittenStyle = RollStyle.exclude(['asConfigured']);
const ByClients = z.union([Seconds, z.record(RollClients, Seconds)]);

const RollSettingRule = z.strictObject({
  /** Key of the dynamic configuration. */
  key: z.string().min(1),
  /** Role whose processes read it. */
  role: Role,
  /** Which version of a replacement reads it; `both` where it may not be on while either does not know it. */
  readBy: z.enum(['stopping', 'starting', 'both']),
  /** Versions for which the value means what `why` says. */
  servers: ServerRange,
  /** Written only where this other key is not. */
  insteadOf: z.string().min(1).optional(),
  value: z.record(WrittenStyle, ByClients),
  /** Where it is the time in which the health of a stopping frontend fails: raised to outlive connections, up to this. */
  connectionAge: z.strictObject({ upTo: Seconds }).optional(),
  why: z.string().min(1),
  source: Source,
});
export type RollSettingRule = z.infer<typeof RollSettingRule>;

const RollLimitRule = z.strictObject({
  id: z.string().min(1),
  role: Role,
  of: z.enum(['stopping', 'starting']),
  servers: ServerRange,
  /** What a process of the role does: follows its name in a sentence. */
  fact: z.string().min(1),
  source: Source,
});

const ConnectionAgeRule = z.strictObject({
  /** Key by which frontends let connections grow old; read when they start. */
  key: z.string().min(1),
  /** By how much a connection may grow older. */
  spreadPercent: z.int().nonnegative(),
  margin: Seconds,
  /** The oldest connections that the style careful waits for. */
  carefulUpTo: Seconds,
  /** What has to be left for the drain that follows. */
  leastDrain: Seconds,
  why: z.string().min(1),
  source: Source,
});
export type ConnectionAgeRule = z.infer<typeof ConnectionAgeRule>;

export const RollRules = z.strictObject({
  /** Absent in a file of before it was written: then no value follows the age of connections. */
  connectionAge: ConnectionAgeRule.optional(),
  settings: z.array(RollSettingRule),
  limits: z.array(RollLimitRule),
});
