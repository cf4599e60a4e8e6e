import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../../adapters/run-command.js';
import type { Work } from '../../adapters/store.js';
import { goEnvironment, runGo } from '../../adapters/tools/go-command.js';
import { formatDuration } from '../../core/duration.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { broughtOnce } from '../brought-once.js';
import { goModOf, linkerFlags } from './kubemini-source.js';

/** The last patch of its minor; helm and kubectl of the lab are one minor away at most. */
export const KUBERNETES_VERSION = '1.33.13';

const Download = z.object({ GoMod: z.string().min(1) });

/** A program made of Kubernetes' own commands. */
export interface KubernetesProgram {
  /** Of its file, and of its folder in the cache. */
  readonly name: string;
  /** Its one Go file. */
  readonly source: string;
  /** Arguments at which it says its version. */
  readonly asked: readonly string[];
}

/**
 * Path of such a program, built from the Go module proxy into the cache the first time.
 * @throws PreconditionError when it cannot be built
 */
export async function findKubernetesProgram(program: KubernetesProgram, work: Work): Promise<string> {
  const { name } = program;
  const folder = await broughtOnce(`${name}-${KUBERNETES_VERSION}`, (part) => build(program, part, work)).catch(
    (cause: unknown) => {
      throw new PreconditionError(
        `no ${name} of Kubernetes ${KUBERNETES_VERSION} for the lab: it takes Go 1.24 or later and a Go module proxy (${messageOf(cause).slice(-500)})`,
        {},
        { cause },
      );
    },
  );
  return join(folder, name);
}

async function build({ name, source, asked }: KubernetesProgram, folder: string, work: Work): Promise<void> {
  const version = KUBERNETES_VERSION;
  const downloaded = await runGo(['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], { cwd: folder }, work);
  const { GoMod } = Download.parse(JSON.parse(downloaded));
  await writeFile(join(folder, 'go.mod'), goModOf(await readFile(GoMod, 'utf8'), version));
  await writeFile(join(folder, 'main.go'), source);
  const program = join(folder, name);
  await telling(`building ${name} of Kubernetes ${version}`, work, () =>
    // -mod=mod: the versions of everything else are those of Kubernetes' own go.mod. nice: it takes every processor.
    runCommand(
      'nice',
      ['go', 'build', '-mod=mod', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags(version), '-o', program, '.'],
      { cwd: folder, env: goEnvironment(), secrets: [], signal: work.signal },
    ),
  );
  const { stdout } = await runCommand(program, asked, { timeoutMs: 60_000 });
  if (!stdout.includes(`v${version}`)) throw new Error(`it says "${stdout.trim()}"; expected v${version}`);
  for (const left of ['main.go', 'go.mod', 'go.sum']) await rm(join(folder, left), { force: true });
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
