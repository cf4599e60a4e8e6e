import { access, chmod, constants, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { messageOf } from '../core/errors.js';
import { compareVersions } from '../core/version.js';
import type { Work } from './store.js';
import type { ToolResolver } from './tools.js';
import { downloadRelease } from './tools/download-release.js';
import { goInstall } from './tools/go-install.js';
import { cliRelease, serverRelease, type Program, type Release } from './tools/release.js';
import { isFile, ToolCache } from './tools/tool-cache.js';
import { ToolUnavailableError, type ToolAttempt } from './tools/tool-unavailable.js';
import { readToolVersion } from './tools/tool-version.js';

export interface ToolResolverOptions {
  /** Folder with `PROGRAM` or `VERSION/PROGRAM`; default `TEMPORAL_UPGRADE_TOOLS_DIR`. */
  readonly toolsDir?: string | undefined;
  /** Where brought programs are kept; default `TEMPORAL_UPGRADE_CACHE_DIR`, then `~/.cache/temporal-upgrade`. */
  readonly cacheDir?: string | undefined;
  /** What stands in for `https://github.com`; default `TEMPORAL_UPGRADE_RELEASES_URL`. */
  readonly releasesUrl?: string | undefined;
  /** Whether `go install` may be used when there is no archive; default true. */
  readonly allowBuild?: boolean;
  /** The version of the Temporal CLI that is brought when none is there. The last that `go install` can build. */
  readonly cliVersion?: string;
  /** Folders to search as PATH does; default `PATH`. */
  readonly path?: string | undefined;
  /** After how many milliseconds without renewal the lock of a dead process is taken over; default 30 s, at least 2 s. */
  readonly lockStaleMs?: number;
}

/** The oldest Temporal CLI that has all the commands and flags that this project uses. */
const OLDEST_CLI = '1.4.0';

/** What is asked for: a program, of which release, and which versions will do. */
interface Wanted {
  readonly program: Program;
  readonly release: Release;
  readonly accepts: (version: string) => boolean;
  /** The versions that will do, in words. */
  readonly expected: string;
}

/**
 * Finds programs of Temporal releases: in the configured folder, on PATH, in the cache; brings them as official archive,
 * else by `go install`. Every one is asked for its version before its path is handed out.
 */
export function createToolResolver(options: ToolResolverOptions = {}): ToolResolver {
  const { env } = process;
  const toolsDir = options.toolsDir ?? env['TEMPORAL_UPGRADE_TOOLS_DIR'];
  const releasesUrl = (options.releasesUrl ?? (env['TEMPORAL_UPGRADE_RELEASES_URL'] || 'https://github.com')).replace(
    /\/+$/,
    '',
  );
  const cache = new ToolCache(join(options.cacheDir ?? defaultCacheDir(), 'tools'), options.lockStaleMs);
  const cliVersion = options.cliVersion ?? '1.5.1';

  async function find(wanted: Wanted, work: Work): Promise<string> {
    const tried: ToolAttempt[] = [];
    const found =
      (toolsDir ? await fromFolder(resolve(toolsDir), wanted, tried, work) : undefined) ??
      (await fromPath(options.path ?? env['PATH'] ?? '', wanted, tried, work)) ??
      (await fromCache(wanted, tried, work)) ??
      (await bringAlone(wanted, tried, work));
    if (found === undefined) throw new ToolUnavailableError(wanted.program, wanted.release.version, tried);
    return found;
  }

  async function fromCache(wanted: Wanted, tried: ToolAttempt[], work: Work): Promise<string | undefined> {
    const place = cache.pathOf(wanted.release, wanted.program);
    if (!(await isFile(place))) {
      tried.push({ place: `cache ${place}`, reason: 'not there' });
      return undefined;
    }
    const problem = await problemOf(place, wanted, work);
    if (problem === undefined) return place;
    tried.push({ place: `cache ${place}`, reason: `${problem}; brought anew` });
    return undefined;
  }

  async function bringAlone(wanted: Wanted, tried: ToolAttempt[], work: Work): Promise<string | undefined> {
    try {
      return await cache.alone(work, async (alone) => {
        // Another process may have brought it while this one waited.
        return (await fromCache(wanted, [], alone)) ?? (await bring(wanted, tried, alone));
      });
    } catch (error) {
      work.signal?.throwIfAborted();
      tried.push({ place: `cache ${cache.directory}`, reason: messageOf(error) });
      return undefined;
    }
  }

  async function bring(wanted: Wanted, tried: ToolAttempt[], work: Work): Promise<string | undefined> {
    const { release } = wanted;
    const ways = [
      {
        place: `archive ${release.archive} from ${releasesUrl}`,
        fill: (folder: string) => downloadRelease(release, { releasesUrl, folder }, work),
      },
      {
        place: `go install ${release.module}@v${release.version}`,
        fill: (folder: string) => goInstall(release, folder, work),
      },
    ].slice(0, options.allowBuild === false ? 1 : 2);
    for (const { place, fill } of ways) {
      try {
        await cache.keep(release, async (folder) => checked(await fill(folder), wanted, work));
        return cache.pathOf(release, wanted.program);
      } catch (error) {
        work.signal?.throwIfAborted();
        tried.push({ place, reason: messageOf(error) });
      }
    }
    return undefined;
  }

  return {
    temporalCli: (work = {}) =>
      find(
        {
          program: 'temporal',
          release: cliRelease(cliVersion),
          accepts: (version) => compareVersions(version, OLDEST_CLI) >= 0,
          expected: `${OLDEST_CLI} or later`,
        },
        work,
      ),
    serverTool: (tool, version, work = {}) =>
      find(
        { program: tool, release: serverRelease(version), accepts: (found) => found === version, expected: version },
        work,
      ),
  };
}

function defaultCacheDir(): string {
  const { TEMPORAL_UPGRADE_CACHE_DIR: configured, XDG_CACHE_HOME: xdg } = process.env;
  return configured || join(xdg || join(homedir(), '.cache'), 'temporal-upgrade');
}

/** A folder that an operator names is meant: what lies there is taken, or it is an error. */
async function fromFolder(
  folder: string,
  wanted: Wanted,
  tried: ToolAttempt[],
  work: Work,
): Promise<string | undefined> {
  const place = `TEMPORAL_UPGRADE_TOOLS_DIR ${folder}`;
  for (const file of [join(folder, wanted.release.version, wanted.program), join(folder, wanted.program)]) {
    if (!(await isFile(file))) continue;
    const problem = await problemOf(file, wanted, work);
    if (problem === undefined) return file;
    throw new ToolUnavailableError(wanted.program, wanted.release.version, [
      ...tried,
      { place: file, reason: `${problem}; it lies in the configured folder, so nothing else was tried` },
    ]);
  }
  const exists = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  tried.push({
    place,
    reason: exists ? `has no ${wanted.program} and no ${wanted.release.version}/${wanted.program}` : 'no such folder',
  });
  return undefined;
}

/** PATH may hold any version, for other uses; one that does not fit is passed over. */
async function fromPath(path: string, wanted: Wanted, tried: ToolAttempt[], work: Work): Promise<string | undefined> {
  const before = tried.length;
  for (const folder of path.split(delimiter).filter((each) => each !== '')) {
    const file = resolve(folder, wanted.program);
    if (!(await isExecutable(file))) continue;
    const problem = await problemOf(file, wanted, work);
    if (problem === undefined) return file;
    tried.push({ place: `PATH ${file}`, reason: problem });
  }
  if (tried.length === before) tried.push({ place: 'PATH', reason: `has no ${wanted.program}` });
  return undefined;
}

/** Lets only programs of the right version into the cache, and only when the one that is wanted is among them. */
async function checked(
  files: ReadonlyMap<Program, string>,
  wanted: Wanted,
  work: Work,
): Promise<ReadonlyMap<Program, string>> {
  const file = files.get(wanted.program);
  if (file === undefined) throw new Error(`has no ${wanted.program}`);
  await chmod(file, 0o755);
  const problem = await problemOf(file, wanted, work);
  if (problem !== undefined) throw new Error(`its ${wanted.program} does not fit: ${problem}`);
  return files;
}

async function problemOf(file: string, wanted: Wanted, work: Work): Promise<string | undefined> {
  if (!(await isExecutable(file))) return 'it is not executable for this user';
  const found = await readToolVersion(file, work.signal);
  if ('problem' in found) return `its version cannot be told: ${found.problem}`;
  if (!wanted.accepts(found.version)) return `it is version ${found.version}, needed is ${wanted.expected}`;
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  if (!(await isFile(file))) return false;
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
