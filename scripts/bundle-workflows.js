// Bundles the built workflow code into dist/workflow-bundle.js, so that a worker need not do it at every start.
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const dist = (file) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));
const workflowsPath = dist('workflows/index.js');
if (!existsSync(workflowsPath)) {
  console.error(`${workflowsPath} is not there; run \`make build\`, which compiles it first`);
  process.exit(1);
}
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
const payloadConverterPath = dist('workflows/payload-converter.js');
const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: quiet });
// Renamed into place: a worker that starts meanwhile reads the old bundle or the new one, never half of one.
const target = dist('workflow-bundle.js');
await writeFile(`${target}.${process.pid}`, code);
await rename(`${target}.${process.pid}`, target);
console.log(`workflow bundle: ${Math.round(code.length / 1024)} KiB`);
