import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from '../adapters/catalogue-file.js';
import { createStore } from '../adapters/stores.js';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { pluginOf } from '../core/input/input.js';
import { storeKind } from '../core/planning/present-state.js';
import { schemaFolder, schemaVersion } from '../core/schema/schema-version.js';
import { roleOfPart, type StorePart } from '../core/stores.js';
import { startStores, type LabStore } from '../lab/start-database.js';

const [FROM, TO] = ['1.30.7', '1.31.2'] as const;
const REPEATS = 7;
/** Two labs have one store of each kind among them. */
const LABS: readonly LabStore[] = ['postgres+mysql', 'cassandra+opensearch'];

/** How long a look at each store took. */
export interface MeasuredInspection {
  /** Median of the looks, in seconds, by product. */
  readonly stores: readonly { readonly product: string; readonly seconds: number }[];
}

/** Reads schema version and shape of a real store of each kind, as preflight does, with nothing kept in between. */
export async function measureInspection(onProgress: (line: string) => void): Promise<MeasuredInspection> {
  const tools = createToolResolver();
  const catalogue = await loadCatalogue();
  const measured: { product: string; seconds: number }[] = [];
  for (const lab of LABS) {
    const directory = await mkdtemp(join(tmpdir(), 'bench-stores-'));
    await chmod(directory, 0o711); // PostgreSQL's user has to pass through
    onProgress(`starting ${lab}`);
    const { stores, stop } = await startStores(lab, directory);
    try {
      for (const part of ['default', 'visibility'] as const satisfies readonly StorePart[]) {
        const database = `inspect_${part}`;
        await stores[part].setUp(part, database, { version: FROM, tools });
        const input = stores[part].inputOf(database);
        const kind = storeKind(pluginOf(input));
        const store = createStore(input, roleOfPart(part), tools);
        const folder = schemaFolder(catalogue, kind, part);
        const schemaTo = schemaVersion(catalogue, TO, kind, part);
        await store.prepareUpdate(TO);
        const seconds: number[] = [];
        for (let look = 0; look < REPEATS; look += 1) {
          const began = performance.now();
          const survey = await store.survey({ folder, schemaTo, backupDir: directory });
          seconds.push((performance.now() - began) / 1_000);
          if (!('seen' in survey.schemaVersion) || !('seen' in survey.shape)) {
            throw new Error(`the ${part} store of ${lab} was not seen: ${JSON.stringify(survey.shape)}`);
          }
        }
        measured.push({ product: (await store.describe()).product, seconds: medianOf(seconds) });
        await store.close();
      }
    } finally {
      await stop();
      await rm(directory, { recursive: true, force: true });
    }
  }
  return { stores: measured };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
