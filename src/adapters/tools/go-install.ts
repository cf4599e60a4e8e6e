import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatDuration } from '../../core/duration.js';
import { compareVersions } from '../../core/version.js';
import { runCommand } from '../run-command.js';
import type { Work } from '../store.js';
import { isFile } from './tool-cache.js';
import type { Program, Release } from './release.js';

/** What Go needs of the worker's environment: its caches, its proxies, and whom it trusts. */
const GO_ENVIRONMENT =
  /^(GO(PATH|CACHE|MODCACHE|ENV|ROOT|PROXY|NOPROXY|PRIVATE|SUMDB|NOSUMDB|INSECURE|VCS|AUTH|FLAGS|MAXPROCS|TMPDIR)|NETRC|XDG_(CACHE|CONFIG)_HOME|(HTTPS?|NO|ALL)_PROXY)$/i;

/** `tdbg` came with this version; asking an older module for it would fail the build of the others. */
const FIRST_WITH_TDBG = '1.20.0';

/**
 * Builds the programs of `release` from the module proxy, in `folder`. All at once: they share nearly all that is compiled.
 * @throws CommandError with the last lines of the compiler, or when there is no Go
 */
export async function goInstall(release: Release, folder: string, work: Work): Promise<ReadonlyMap<Program, string>> {
  const { stdout } = await runCommand('go', ['version'], { timeoutMs: 60_000, signal: work.signal });
  const go = /go\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'go';
  const programs = release.programs.filter(
    ({ name }) => name !== 'tdbg' || compareVersions(release.version, FIRST_WITH_TDBG) >= 0,
  );
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const began = Date.now();
  const building = `building ${programs.map(({ name }) => name).join(', ')} ${release.version} with ${go}`;
  work.onProgress?.(building);
  const timer = setInterval(() => work.onProgress?.(`${building}: ${formatDuration(Date.now() - began)}`), 5_000);
  try {
    await runCommand(
      'go',
      [
        'install',
        ...(release.buildTags.length === 0 ? [] : ['-tags', release.buildTags.join(',')]),
        ...programs.map((program) => `${release.module}/${program.package}@v${release.version}`),
      ],
      { cwd: folder, env: { ...goEnvironment(), GOBIN: bin }, signal: work.signal },
    );
  } finally {
    clearInterval(timer);
  }
  const files = new Map<Program, string>();
  for (const program of programs) {
    const file = join(bin, basename(program.package));
    if (await isFile(file)) files.set(program.name, file);
  }
  return files;
}

/** The environment that Go is run with: what it needs of the worker's, and nothing of C. */
export function goEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && GO_ENVIRONMENT.test(name) ? [[name, value]] : [],
  );
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    // The official archives are built so too, and no C compiler is needed.
    CGO_ENABLED: '0',
    // The newest patches need a newer Go than most machines have; Go 1.21 and later then fetches that by itself.
    GOTOOLCHAIN: 'auto',
  };
}
