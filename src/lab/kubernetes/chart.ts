import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the source, whether this runs from there or from what was built of it. */
const CHART = fileURLToPath(new URL('../../../src/lab/kubernetes/chart', import.meta.url));

/**
 * Puts the lab's chart into `directory` and returns that: a small one of our own, with the names, labels, containers, values and
 * hook of the official Temporal chart. `version`: the chart says that it is this one, such as to bump it.
 */
export async function placeChart(directory: string, version = '1.0.0'): Promise<string> {
  await cp(CHART, directory, { recursive: true });
  const file = join(directory, 'Chart.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^version: .*$/m, `version: ${version}`));
  return directory;
}
