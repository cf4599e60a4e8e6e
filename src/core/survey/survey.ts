import type { ClusterSurvey } from './cluster-survey.js';
import type { Finding } from '../finding.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { Hop, StorePart, Stores } from '../plan.js';
import type { StoreSurvey } from './store-survey.js';

/** All that was looked at on one target, without changing it. Each part is there or says why not. */
export interface Survey {
  /** Name of the target. */
  readonly target: string;
  /** When it was taken, ISO 8601. */
  readonly takenAt: string;
  readonly cluster: ClusterSurvey;
  readonly stores: Readonly<Partial<Record<StorePart, StoreSurvey>>>;
}

/** What a check may hold a survey against. */
export interface CheckContext {
  readonly catalogue: Catalogue;
  /** Kinds of the stores, as the input says. */
  readonly stores: Stores;
  /** The hop that is about to be done; absent when a cluster is looked at for its own sake. */
  readonly hop?: Hop | undefined;
  /** Namespaces of a load that runs here: its own evidence tells how that fares. */
  readonly canaryNamespaces?: readonly string[] | undefined;
}

/** A check: pure, and silent where all is well. */
export type Check = (survey: Survey, context: CheckContext) => readonly Finding[];
