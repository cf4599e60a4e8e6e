import { loadCatalogue } from '../adapters/catalogue-file.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { planPath } from '../core/planning/path.js';
import type { StoreKind } from '../core/plan.js';

/** How long planning took, with nothing remembered from plans before. */
export interface MeasuredPlanning {
  readonly slowestMs: number;
  /** Which plan that was. */
  readonly what: string;
  readonly plans: number;
  readonly repeats: number;
}

const REPEATS = 9;
const DEFAULTS: readonly StoreKind[] = ['cassandra', 'mysql', 'mysql8', 'postgres', 'postgres12'];

/** Plans from the first version that has a store to the newest of all, for every kind of store. */
export async function measurePlanning(): Promise<MeasuredPlanning> {
  const catalogue = await loadCatalogue();
  const to = catalogue.minors.at(-1)?.minor ?? '';
  const plans = DEFAULTS.flatMap((kind) =>
    [kind, 'elasticsearch' as const].map((visibility) => ({ default: kind, visibility })),
  ).map((stores) => {
    const from = firstVersionWith(catalogue, stores.default);
    const times = Array.from({ length: REPEATS }, () => {
      // A copy is another catalogue to the planner: nothing is known of it.
      const fresh = { ...catalogue };
      const began = performance.now();
      planPath({ catalogue: fresh, from, to, stores });
      return performance.now() - began;
    }).sort((a, b) => a - b);
    return {
      what: `${from} to ${to} on ${stores.default} and ${stores.visibility}`,
      ms: times[Math.floor(REPEATS / 2)] ?? 0,
    };
  });
  const slowest = plans.reduce((worst, plan) => (plan.ms > worst.ms ? plan : worst));
  return { slowestMs: slowest.ms, what: slowest.what, plans: plans.length, repeats: REPEATS };
}

function firstVersionWith(catalogue: Catalogue, kind: StoreKind): string {
  const component = catalogue.rules.stores.find((rule) => rule.kind === kind)?.component ?? '';
  const minor = catalogue.minors.find(
    ({ schema }) => typeof schema[component] === 'object' && schema[component] !== null,
  );
  const [first] = minor?.patches ?? [];
  if (first === undefined) throw new Error(`no version of the catalogue has a store of kind ${kind}`);
  return first;
}
