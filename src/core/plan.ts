/** Shapes of a plan. Made once, by an activity; history keeps it, and the workflow follows what is recorded. */

export type Environment = 'staging' | 'live';

/** What stands in the way of a hop, or is worth knowing before it. */
export interface Finding {
  /** Stable id in kebab-case, such as `patch-retracted`. */
  readonly id: string;
  /** `blocking` stops before anything is changed; `warning` is shown to whoever decides; `note` explains. */
  readonly severity: 'blocking' | 'warning' | 'note';
  /** What was expected, what was found, what to do. */
  readonly message: string;
  /** Where the rule comes from. */
  readonly source: string;
}

/** Schema version of one store before and after a hop; equal when the hop does not touch it. */
export interface SchemaStep {
  readonly from: string;
  readonly to: string;
}

/** One server version to the next. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  readonly schema: { readonly default: SchemaStep; readonly visibility: SchemaStep };
  readonly findings: readonly Finding[];
}

/** The way of one target. */
export interface Path {
  /** Versions in order, the present one first. One entry alone: nothing to do. */
  readonly path: readonly string[];
  readonly hops: readonly Hop[];
  /** Findings about the target as a whole. */
  readonly findings: readonly Finding[];
}

/** Kinds of store as the catalogue's schema table calls them. */
export type StoreKind = 'postgres12';

/** The plan of a whole roll-out. */
export interface RolloutPlan {
  readonly staging: Path;
  readonly live: Path;
  readonly findings: readonly Finding[];
}
