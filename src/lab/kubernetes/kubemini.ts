import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../../adapters/run-command.js';
import type { Work } from '../../adapters/store.js';
import { goEnvironment, runGo } from '../../adapters/tools/go-command.js';
import { formatDuration } from '../../core/duration.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { broughtOnce } from '../brought-once.js';
import { goModOf, linkerFlags, MAIN_GO } from './kubemini-source.js';

/** The last patch of its minor; helm and kubectl of the lab are one minor away at most. */
export const KUBERNETES_VERSION = '1.33.13';

const Download = z.object({ GoMod: z.string().min(1) });

/**
 * Kubernetes' API server, controller manager and scheduler as one program, built from the Go module proxy into the cache the
 * first time: some nine minutes on two processors, 2 GiB of memory.
 * @throws PreconditionError when it cannot be built
 */
export async function findKubemini(work: Work = {}): Promise<string> {
  const folder = await broughtOnce(`kubemini-${KUBERNETES_VERSION}`, (part) => build(part, work)).catch(
    (cause: unknown) => {
      throw new PreconditionError(
        `no Kubernetes ${KUBERNETES_VERSION} for the lab: it takes Go 1.24 or later and a Go module proxy (${messageOf(cause).slice(-500)})`,
        {},
        { cause },
      );
    },
  );
  return join(folder, 'kubemini');
}

async function build(folder: string, work: Work): Promise<void> {
  const version = KUBERNETES_VERSION;
  const downloaded = await runGo(['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], { cwd: folder }, work);
  const { GoMod } = Download.parse(JSON.parse(downloaded));
  await writeFile(join(folder, 'go.mod'), goModOf(await readFile(GoMod, 'utf8'), version));
  await writeFile(join(folder, 'main.go'), MAIN_GO);
  const program = join(folder, 'kubemini');
  await telling(`building Kubernetes ${version}`, work, () =>
    // -mod=mod: the versions of everything else are those of Kubernetes' own go.mod. nice: it takes every processor.
    runCommand(
      'nice',
      ['go', 'build', '-mod=mod', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags(version), '-o', program, '.'],
      { cwd: folder, env: goEnvironment(), secrets: [], signal: work.signal },
    ),
  );
  const { stdout } = await runCommand(program, ['kube-apiserver', '--version'], { timeoutMs: 60_000 });
  if (!stdout.includes(`v${version}`)) throw new Error(`it says "${stdout.trim()}"; expected v${version}`);
  for (const source of ['main.go', 'go.mod', 'go.sum']) await rm(join(folder, source), { force: true });
}

/** A build takes minutes in silence. */
async function telling(what: string, work: Work, run: () => Promise<unknown>): Promise<void> {
  const began = Date.now();
  work.onProgress?.(what);
  const timer = setInterval(() => work.onProgress?.(`${what}: ${formatDuration(Date.now() - began)}`), 5_000);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
}
