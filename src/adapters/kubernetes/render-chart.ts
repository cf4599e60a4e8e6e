import { moveLine, type ValueMove } from '../../core/charts/migration.js';
import { PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import type { ValuesPlan } from './chart-values.js';
import type { Helm, HelmChange } from './helm.js';

/** What a chart makes of the operator's values, or why it makes nothing. */
export interface Rendering {
  /** Its objects; undefined where it does not render. */
  readonly objects?: string;
  /** With the chart's own words, and with what would mend it. */
  readonly problems: readonly string[];
}

/** Renders the chart for a version, before anything is changed. `from`: version of the official chart that is there now. */
export async function renderChart(
  helm: Helm,
  change: HelmChange,
  { version, from, work }: { readonly version: string; readonly from?: string | undefined; readonly work: Work },
): Promise<Rendering> {
  const plan = await planOf(helm, change, { version, from, work });
  const stopping = (plan?.left ?? [])
    .filter(({ stops }) => stops)
    .map(({ key, why, action }) => `${key} with chart ${plan?.chart.version ?? ''}: ${why}. ${action}`);
  try {
    return { objects: await helm.render(version, work), problems: stopping };
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    const mending = plan === undefined || change.migrateValues ? [] : wouldMend(plan.chart.version, plan.moved);
    return { problems: [error.message, ...mending, ...stopping] };
  }
}

/** Nothing is known of values that cannot be read here: helm, which is given the files, says more of them. */
async function planOf(
  helm: Helm,
  { migrateValues }: HelmChange,
  { version, from, work }: { readonly version: string; readonly from?: string | undefined; readonly work: Work },
): Promise<ValuesPlan | undefined> {
  return helm.planValues(version, from, work).catch((error: unknown) => {
    if (migrateValues || !(error instanceof PreconditionError)) throw error;
    return undefined;
  });
}

function wouldMend(chart: string, moved: readonly ValueMove[]): string[] {
  if (moved.length === 0) return [];
  const lines = moved.map(moveLine).join('; ');
  return [
    `chart ${chart} wants keys of your values elsewhere: ${lines}. Write them so, or set "change.migrateValues: true"`,
  ];
}
