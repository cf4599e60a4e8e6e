import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The workflows as they are in the source now, bundled. It costs seconds of processor time, so test files share one by
 * the hash of all that goes into it.
 */
export async function bundleWorkflows(): Promise<{ codePath: string }> {
  const folder = `${root}node_modules/.cache/temporal-upgrade`;
  const codePath = `${folder}/workflows-${await hashOfSource()}.js`;
  if (!existsSync(codePath)) {
    const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
    const workflowsPath = `${root}src/workflows/index.ts`;
    const payloadConverterPath = `${root}src/workflows/payload-converter.ts`;
    const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: quiet });
    await mkdir(folder, { recursive: true });
    await writeFile(`${codePath}.${process.pid}`, code);
    await rename(`${codePath}.${process.pid}`, codePath);
  }
  return { codePath };
}

async function hashOfSource(): Promise<string> {
  const hash = createHash('sha256');
  const files: string[] = [];
  for await (const file of glob('src/{workflows,contract,core,report}/**/*.ts', { cwd: root })) files.push(file);
  for (const file of ['package-lock.json', ...files.sort()]) hash.update(file).update(await readFile(root + file));
  return hash.digest('hex').slice(0, 16);
}
