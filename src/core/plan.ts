import type { PerStore, StorePart } from './stores.js';
import type { Finding } from './finding.js';
import type { Role, RollStyle } from './input/input.js';

/** Shapes of a plan. Made once, by an activity; history keeps it, and the workflow follows what is recorded. */

/** In the order in which they are upgraded. */
export const ENVIRONMENTS = ['staging', 'live'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The target whose gates begin with its name; undefined for a gate of neither. */
export function environmentOf(gate: string | undefined): Environment | undefined {
  return ENVIRONMENTS.find((each) => gate?.startsWith(`${each}/`) === true);
}

/** Kinds of store, by what the server's configuration calls them. */
export const STORE_KINDS = [
  'postgres12',
  'postgres',
  'mysql8',
  'mysql',
  'cassandra',
  'elasticsearch',
  'sqlite',
] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export type { StorePart };

/** Kinds of the stores of a cluster at one point of its path. */
export type Stores = PerStore<StoreKind>;

/** A statement and where it comes from. */
export interface Reason {
  /** Kind of statement, in kebab-case: `sequence`, `newest-patch`, `passed-over`, `roll-back-floor`, `pinned`, `asked-for`. */
  readonly id: string;
  readonly text: string;
  readonly source: string;
}

/** Scripts that lie between two schema versions. */
export interface SchemaScriptStep {
  readonly version: string;
  readonly description: string;
  /** What it drops or rewrites, in the words of the script: `DROP TABLE`, `ALTER COLUMN`. */
  readonly removesOrRewrites: readonly string[];
}

/** Schema version of one store before and after a hop; equal when the hop does not touch it. */
export interface SchemaStep {
  readonly from: string;
  readonly to: string;
  readonly store: StoreKind;
  /** Folder of the scripts below the server's `schema/`, such as `postgresql/v12/visibility`. */
  readonly folder: string;
  readonly scripts: readonly SchemaScriptStep[];
}

/** Something that people must have done, while the servers still run the version that a hop starts from. */
export interface Move {
  readonly id: string;
  readonly part: StorePart;
  readonly fromKind: StoreKind;
  readonly toKind: StoreKind;
  /** Version that the servers run while it is done. */
  readonly at: string;
  /** First version that does not take the old kind any more. */
  readonly before: string;
  /** What to do, in order. */
  readonly steps: readonly string[];
  /** Schema version of the store before and after it. */
  readonly schema: { readonly from: string; readonly to: string };
  readonly source: string;
}

/** Whether the servers alone can go back over a hop. */
export interface RollBackCost {
  /** `servers`: the old servers run on the new schema and data. `backup`: something would be missing that only a backup has. */
  readonly by: 'servers' | 'backup';
  readonly reasons: readonly Reason[];
}

/** A key of the dynamic configuration that servers get while they are replaced. */
export interface RollSetting {
  readonly key: string;
  readonly value: string;
  /** Role whose processes read it; its file is the one that the key is written to. */
  readonly role: Role;
  readonly why: string;
  readonly source: string;
}

/** How the processes of a target are replaced one after the other. */
export interface RollPace {
  /** In the order of the way forward. */
  readonly roles: readonly { readonly role: Role; readonly processes: number }[];
  /** At most so many of a role at a time. */
  readonly batch: number;
  /** How long the first process of each role with more than one is observed before the others, in milliseconds. */
  readonly canaryMs: number;
}

/** What is set while the servers of a hop are replaced, and what cannot be had all the same. */
export interface RollSettings {
  readonly style: RollStyle;
  readonly settings: readonly RollSetting[];
  /** Those that the operator has set already: they stay. `value` is what would have been written. */
  readonly kept: readonly RollSetting[];
  /** Where clients can notice it, with the shortest gap instead. */
  readonly limits: readonly Reason[];
  /** Absent in a plan that a release before it made. */
  readonly pace?: RollPace | undefined;
  /** Roles without a server for a moment, where the nodes of the target are found; else those of one process. */
  readonly gaps?: readonly Role[] | undefined;
}

/** One server version to the next. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  /** Why this version comes next. */
  readonly reasons: readonly Reason[];
  /** What has to be done before, while `from` runs. */
  readonly moves: readonly Move[];
  readonly schema: PerStore<SchemaStep>;
  readonly rollBack: RollBackCost;
  /** Absent where the nodes of the target are not known. */
  readonly roll?: RollSettings | undefined;
  readonly findings: readonly Finding[];
}

/** The way of one target. */
export interface Path {
  /** `back` is a roll-back by one minor, or within one; the schema stays. */
  readonly direction: 'forward' | 'back' | 'none';
  /** Versions in order, the present one first. One entry alone: nothing to do. */
  readonly path: readonly string[];
  readonly hops: readonly Hop[];
  /** Findings about the target as a whole. */
  readonly findings: readonly Finding[];
}

/** The plan of a whole roll-out. */
export interface RolloutPlan {
  readonly staging: Path;
  readonly live: Path;
  readonly findings: readonly Finding[];
}

/** What will be run to replace one node in a hop. */
export interface NodeReplacement {
  readonly node: string;
  readonly role: string;
  /** Lines of a shell, in order. */
  readonly commands: readonly string[];
  /** Why that cannot be said; then there are no commands. */
  readonly problem?: string | undefined;
}

/** The nodes of a target in the order in which a hop replaces them. */
export interface HopReplacements {
  readonly from: string;
  readonly to: string;
  readonly nodes: readonly NodeReplacement[];
}
