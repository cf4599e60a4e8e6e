import { readFile } from 'node:fs/promises';
import { parse, type DocumentOptions, type ParseOptions, type SchemaOptions } from 'yaml';
import { z } from 'zod';
import { migrateValues } from '../../core/charts/migrate-values.js';
import type { Migration } from '../../core/charts/migration.js';
import { oldSetKeys } from '../../core/charts/set-keys.js';
import { isMap, mergeValues, type Values } from '../../core/charts/values.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { KubernetesChange } from '../../core/input/input.js';

const Chart = z.object({ name: z.string(), version: z.string(), appVersion: z.coerce.string().optional() });

/** A chart as it says itself. */
export type Chart = z.infer<typeof Chart>;

/** Where an input has its values. */
type GivenValues = Pick<Extract<KubernetesChange, { by: 'helm' }>, 'values' | 'set'>;

/** What becomes of the operator's values with a chart. */
export interface ValuesPlan extends Migration {
  readonly chart: Chart;
}

/** Name of the official chart; what is known here of keys is known of that one alone. */
const OFFICIAL = 'temporal';

/** What `helm show chart` prints. */
export function parseChart(text: string): Chart {
  return Chart.parse(parse(text));
}

/**
 * The operator's values as a chart wants them; as they are for a chart that is not the official one.
 * @throws PreconditionError for a values file that cannot be read
 */
export async function planValues(change: GivenValues, chart: Chart, from?: string): Promise<ValuesPlan> {
  const values = mergeValues(...(await Promise.all(change.values.map(readValues))));
  if (chart.name !== OFFICIAL) return { chart, values, moved: [], left: [] };
  const { left, ...migration } = migrateValues(values, { to: chart.version, from });
  return { chart, ...migration, left: [...left, ...oldSetKeys(Object.keys(change.set), chart.version)] };
}

/** As helm reads it: YAML 1.1 ("yes" is true) without its times ("22:30" is text), the last of two same keys counts. An error shows no line of it, which may be a password. */
const AS_HELM: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  prettyErrors: false,
  uniqueKeys: false,
  customTags: (tags) =>
    tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp'))),
};

async function readValues(file: string): Promise<Values> {
  try {
    const values: unknown = parse(await readFile(file, 'utf8'), AS_HELM) ?? {};
    if (isMap(values)) return values;
  } catch (cause) {
    const message = `driver.change.values: ${file} cannot be read as YAML: ${messageOf(cause)}`;
    throw new PreconditionError(message, { file }, { cause });
  }
  throw new PreconditionError(`driver.change.values: ${file} holds no map of values`, { file });
}

/** Values whose names say that they are secret, and that are long enough not to be a word of a message. */
export function secretsIn(values: unknown): string[] {
  if (Array.isArray(values)) return values.flatMap(secretsIn);
  if (!isMap(values)) return [];
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'string' && value.length >= 6 && /password|secretaccesskey|token/i.test(key)
      ? [value]
      : secretsIn(value),
  );
}
