import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatDuration } from '../../core/duration.js';
import type { Work } from '../store.js';
import { downloadModule, goVersion, runGo } from './go-command.js';
import { isFile } from './tool-cache.js';
import type { Program, Release } from './release.js';

/**
 * Builds the programs of `release` from the module proxy, in `folder`. All at once: they share nearly all that is compiled.
 * @throws CommandError with the last lines of the compiler, or when there is no Go
 */
export async function goInstall(release: Release, folder: string, work: Work): Promise<ReadonlyMap<Program, string>> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const { programs } = release;
  const packages = programs.map((program) => `${release.module}/${program.package}@v${release.version}`);
  await telling(release, work, () =>
    runGo(['install', ...tagsOf(release), ...packages], { cwd: folder, env: { GOBIN: bin } }, work),
  );
  return existing(programs.map((program) => [program.name, join(bin, basename(program.package))]));
}

/**
 * The same within the source of the release, where the hashes of its own `go.sum` stand for its libraries: Go then asks the
 * checksum database for the release alone. The database of a mirror may lack a library that the mirror itself has.
 * @throws CommandError as above
 */
export async function goBuild(release: Release, folder: string, work: Work): Promise<ReadonlyMap<Program, string>> {
  const source = await downloadModule(release, folder, work);
  const { programs } = release;
  // Under the names of the archive: such a program knows its version in no other way than by the server beside it.
  const files = programs.map((program) => [program.name, join(folder, program.name)] as const);
  await telling(release, work, async () => {
    for (const program of programs) {
      const flags = ['-mod=readonly', '-buildvcs=false', ...tagsOf(release), '-o', join(folder, program.name)];
      await runGo(['build', ...flags, `./${program.package}`], { cwd: source }, work);
    }
  });
  return existing(files);
}

function tagsOf({ buildTags }: Release): string[] {
  return buildTags.length === 0 ? [] : ['-tags', buildTags.join(',')];
}

/** A build takes minutes in silence: says every few seconds that it goes on. */
async function telling(release: Release, work: Work, build: () => Promise<unknown>): Promise<void> {
  const names = release.programs.map(({ name }) => name);
  const building = `building ${names.join(', ')} ${release.version} with ${await goVersion(work)}`;
  const began = Date.now();
  work.onProgress?.(building);
  const timer = setInterval(() => work.onProgress?.(`${building}: ${formatDuration(Date.now() - began)}`), 5_000);
  try {
    await build();
  } finally {
    clearInterval(timer);
  }
}

async function existing(files: readonly (readonly [Program, string])[]): Promise<ReadonlyMap<Program, string>> {
  const found = await Promise.all(files.map(async ([, file]) => isFile(file)));
  return new Map(files.filter((_, index) => found[index]));
}
