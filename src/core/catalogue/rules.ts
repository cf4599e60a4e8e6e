import { z } from 'zod';
import { STORE_KINDS, type StoreKind, type StorePart } from '../plan.js';
import { RollRules } from './roll-rules.js';
import { ServerRange, Source, Version } from './rule-parts.js';

/** Rules about server releases that no module states: read by people from release notes, issues and documentation. */

const Kind = z.enum(STORE_KINDS);
const PART_NAMES = ['default', 'visibility', 'secondaryVisibility'] as const satisfies readonly StorePart[];
const Part = z.enum(PART_NAMES);
/** Kinds of store that a rule is about; all clusters when left out. */
const OfStores = z.array(Kind).min(1).optional();

const StoreRule = z.strictObject({
  kind: Kind,
  product: z.string().min(1),
  /** What a server calls it, in its configuration and in GetClusterInfo. */
  plugins: z.array(z.string()).min(1),
  /** Name in the schema table of the releases. */
  component: z.string().min(1),
  /** Folder of the scripts below the server's `schema/`. */
  folders: z.strictObject({ default: z.string().optional(), visibility: z.string().optional() }),
  source: Source,
});

const DatabaseRule = z.strictObject({
  store: Kind,
  product: z.string().min(1),
  /** Range of semver, such as `>=12`. */
  accepts: z.string().min(1),
  servers: ServerRange,
  source: Source,
});

const MoveRule = z.strictObject({
  id: z.string().min(1),
  parts: z.array(Part).min(1),
  fromKind: Kind,
  /** The first is what is planned unless another is asked for. */
  toKinds: z.array(Kind).min(1),
  /** Versions during which it can be done; its end is where the old kind ends. */
  at: z.strictObject({ from: Version, before: Version }),
  steps: z.array(z.string().min(1)).min(1),
  source: Source,
});
export type MoveRule = z.infer<typeof MoveRule>;

const AvoidRule = z.strictObject({
  servers: ServerRange,
  stores: OfStores,
  why: z.string().min(1),
  instead: Version,
  source: Source,
});
export type AvoidRule = z.infer<typeof AvoidRule>;

const SchemaScript = z.strictObject({
  store: z.string(),
  schemaVersions: z.strictObject({ from: z.string(), to: z.string() }),
  /** Both ends included. */
  serverVersions: z.strictObject({ from: Version, to: Version }),
  effect: z.string(),
  /** Lowest patch of the same minor with a better script under the same number. */
  betterFrom: Version.optional(),
  source: Source,
});

/** What a version does to a setting; a finding of it is `setting-` and that. */
export const SETTING_CHANGES = ['appears', 'changed', 'renamed', 'removed'] as const;

const SettingRule = z.strictObject({
  key: z.string().min(1),
  where: z.enum(['static', 'dynamic', 'tool', 'image', 'metric']),
  change: z.enum(SETTING_CHANGES),
  since: Version,
  /** First version that takes the new way, where that lies before `since`. */
  noticeFrom: Version.optional(),
  replacement: z.string().optional(),
  stores: OfStores,
  fact: z.string().min(1),
  action: z.string().min(1).optional(),
  source: Source,
});
export type SettingRule = z.infer<typeof SettingRule>;

const ToolRule = z.strictObject({
  tool: z.string().min(1),
  what: z.string().min(1),
  since: Version,
  before: Version.optional(),
  source: Source,
});

const NoteRule = z.strictObject({ servers: ServerRange, stores: OfStores, fact: z.string().min(1), source: Source });

/** Shape of `catalogue/rules.json`. */
export const Rules = z.strictObject({
  about: z.string().optional(),
  support: z.strictObject({ minors: z.int().positive(), source: Source }),
  stores: z.array(StoreRule).min(1),
  databases: z.array(DatabaseRule),
  moves: z.array(MoveRule),
  avoid: z.array(AvoidRule),
  schemaScripts: z.array(SchemaScript),
  settings: z.array(SettingRule),
  tools: z.array(ToolRule),
  notes: z.array(NoteRule),
  /** Absent in a file of before it was written: then nothing is set for a roll. */
  roll: RollRules.default({ settings: [], limits: [] }),
});
export type Rules = z.infer<typeof Rules>;

/** Whether a rule is about one of these kinds of store. */
export function isAbout(stores: readonly StoreKind[] | undefined, present: readonly StoreKind[]): boolean {
  return stores === undefined || stores.some((kind) => present.includes(kind));
}
