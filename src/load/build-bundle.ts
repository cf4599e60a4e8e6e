import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleCanaries } from './canary-worker.js';

// Part of the build, run from its output: makes the bundle that the load process else makes at each start. Renamed into
// place, so that a load that starts meanwhile reads the old one or the new one, never half of one.
const file = fileURLToPath(new URL('./canary-bundle.js', import.meta.url));
const { code } = await bundleCanaries();
await writeFile(`${file}.${process.pid}`, code);
await rename(`${file}.${process.pid}`, file);
