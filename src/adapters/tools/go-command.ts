import { z } from 'zod';
import { runCommand } from '../run-command.js';
import type { Work } from '../store.js';
import type { Release } from './release.js';

/** What Go needs of the worker's environment: its caches, its proxies, and whom it trusts. */
const GO_ENVIRONMENT =
  /^(GO(PATH|CACHE|MODCACHE|ENV|ROOT|PROXY|NOPROXY|PRIVATE|SUMDB|NOSUMDB|INSECURE|VCS|AUTH|FLAGS|MAXPROCS|TMPDIR)|NETRC|XDG_(CACHE|CONFIG)_HOME|(HTTPS?|NO|ALL)_PROXY)$/i;

const Download = z.object({ Dir: z.string().min(1) });

/** Runs `go` with its part of the worker's environment. @throws CommandError with its last lines, or when there is no Go */
export async function runGo(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  work: Work,
): Promise<string> {
  const { stdout } = await runCommand('go', args, {
    cwd: options.cwd,
    env: { ...goEnvironment(), ...options.env },
    signal: work.signal,
  });
  return stdout;
}

/** Which Go there is, such as `go1.26.8`. @throws CommandError when there is none */
export async function goVersion(work: Work): Promise<string> {
  const { stdout } = await runCommand('go', ['version'], { timeoutMs: 60_000, signal: work.signal });
  return /go\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'go';
}

/**
 * The source of `release` as the module proxy gives it, checked by Go against its checksum database: a folder of Go's own
 * cache, to read only. @throws CommandError
 */
export async function downloadModule(release: Release, cwd: string, work: Work): Promise<string> {
  const module = `${release.module}@v${release.version}`;
  work.onProgress?.(`downloading Go module ${module}`);
  const stdout = await runGo(['mod', 'download', '-json', module], { cwd }, work);
  return Download.parse(JSON.parse(stdout)).Dir;
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
