import { join, resolve } from 'node:path';
import { defaultCacheDir } from '../cache-dir.js';
import { messageOf } from '../../core/errors.js';
import { compareVersions } from '../../core/version.js';
import type { Work } from '../store.js';
import type { ServerTool, ToolPlace, ToolResolver } from './tools.js';
import { downloadRelease } from './download-release.js';
import { checkBrought, findInFolder, findOnPath, problemOf, type Wanted } from './find-tool.js';
import { createScriptsFinder } from './find-scripts.js';
import { goBuild, goInstall } from './go-install.js';
import { cliRelease, serverRelease, type Release } from './release.js';
import { isFile, ToolCache } from './tool-cache.js';
import { ToolUnavailableError, type ToolAttempt } from './tool-unavailable.js';

export interface ToolResolverOptions {
  /** Folder with `PROGRAM` or `VERSION/PROGRAM`; default `TEMPORAL_UPGRADE_TOOLS_DIR`. */
  readonly toolsDir?: string | undefined;
  /** Where brought programs are kept; default `TEMPORAL_UPGRADE_CACHE_DIR`, then `~/.cache/temporal-upgrade`. */
  readonly cacheDir?: string | undefined;
  /** What stands in for `https://github.com`; default `TEMPORAL_UPGRADE_RELEASES_URL`. */
  readonly releasesUrl?: string | undefined;
  /** Whether Go may be used when there is no archive; default true. */
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

/**
 * Finds programs of Temporal releases, and the schema scripts of those that do not carry them within: in the configured folder, on PATH, in the cache; brings them as official archive,
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
    const found = (await atHand(wanted, tried, work)) ?? (await bringAlone(wanted, tried, work));
    if (found === undefined) throw new ToolUnavailableError(wanted.program, wanted.release.version, tried);
    return found;
  }

  async function atHand(wanted: Wanted, tried: ToolAttempt[], work: Work): Promise<string | undefined> {
    return (
      (toolsDir ? await findInFolder(resolve(toolsDir), wanted, tried, work) : undefined) ??
      (await findOnPath(options.path ?? env['PATH'] ?? '', wanted, tried, work)) ??
      (await fromCache(wanted, tried, work))
    );
  }

  async function lookFor(wanted: Wanted, work: Work): Promise<ToolPlace> {
    const tried: ToolAttempt[] = [];
    try {
      const at = await atHand(wanted, tried, work);
      return at === undefined ? { from: waysTo(wanted.release).map(({ place }) => place), tried } : { at };
    } catch (error) {
      if (error instanceof ToolUnavailableError) return { from: [], tried: error.tried };
      throw error;
    }
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
    for (const { place, fill } of waysTo(release)) {
      try {
        await cache.keep(release, async (folder) => checkBrought(await fill(folder, work), wanted, work));
        return cache.pathOf(release, wanted.program);
      } catch (error) {
        work.signal?.throwIfAborted();
        tried.push({ place, reason: messageOf(error) });
      }
    }
    return undefined;
  }

  function waysTo(release: Release) {
    return [
      {
        place: `archive ${release.archive} from ${releasesUrl}`,
        fill: (folder: string, work: Work) => downloadRelease(release, { releasesUrl, folder }, work),
      },
      {
        place: `go install ${release.module}@v${release.version}`,
        fill: (folder: string, work: Work) => goInstall(release, folder, work),
      },
      {
        place: `go build in the source of ${release.module}@v${release.version}`,
        fill: (folder: string, work: Work) => goBuild(release, folder, work),
      },
    ].slice(0, options.allowBuild === false ? 1 : 3);
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
    serverTool: (tool, version, work = {}) => find(exactly(tool, version), work),
    lookForServerTool: (tool, version, work = {}) => lookFor(exactly(tool, version), work),
    schemaScripts: createScriptsFinder({
      toolsDir: toolsDir ? resolve(toolsDir) : undefined,
      releasesUrl,
      cache,
      allowGo: options.allowBuild !== false,
    }),
  };
}

function exactly(program: ServerTool, version: string): Wanted {
  return { program, release: serverRelease(version), accepts: (found) => found === version, expected: version };
}
