import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';
import { SCRIPTS, serverRelease, type Release } from './release.js';
import { copyScriptsOfModule, downloadScripts, problemOfScripts, versionedScripts } from './schema-scripts.js';
import type { ToolCache } from './tool-cache.js';
import { ToolUnavailableError, type ToolAttempt } from './tool-unavailable.js';
import type { ToolResolver } from './tools.js';

export interface ScriptsFinderOptions {
  readonly toolsDir: string | undefined;
  readonly releasesUrl: string;
  readonly cache: ToolCache;
  readonly allowGo: boolean;
}

interface Wanted {
  readonly release: Release;
  readonly store: string;
}

/**
 * Finds the schema scripts of a server version: in the configured folder, in the cache; brings them out of the release's
 * source archive, else out of its Go module. (The official release archives hold none.) What is found is looked through.
 */
export function createScriptsFinder(options: ScriptsFinderOptions): ToolResolver['schemaScripts'] {
  const { cache } = options;
  return async (store, version, work = {}) => {
    const wanted = { release: serverRelease(version), store };
    const tried: ToolAttempt[] = [];
    const found =
      (await inFolder(options.toolsDir, wanted, tried)) ??
      (await inCache(cache, wanted, tried)) ??
      (await bringAlone(options, wanted, tried, work));
    if (found === undefined) throw unavailable(wanted, tried);
    return versionedScripts(found, store);
  };
}

/** A folder that an operator names is meant: what lies there is taken, or it is an error. */
async function inFolder(folder: string | undefined, wanted: Wanted, tried: ToolAttempt[]): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const { release, store } = wanted;
  // Only below the version: scripts themselves do not say of which server they are.
  const scripts = join(folder, release.version, SCRIPTS);
  if (!(await isFolder(scripts))) {
    tried.push({ place: `TEMPORAL_UPGRADE_TOOLS_DIR ${folder}`, reason: `has no ${release.version}/${SCRIPTS}` });
    return undefined;
  }
  const problem = await problemOfScripts(scripts, store);
  if (problem === undefined) return scripts;
  const reason = `${problem}; it lies in the configured folder, so nothing else was tried`;
  throw unavailable(wanted, [...tried, { place: scripts, reason }]);
}

async function inCache(cache: ToolCache, wanted: Wanted, tried: ToolAttempt[]): Promise<string | undefined> {
  const scripts = cache.pathOf(wanted.release, SCRIPTS);
  if (!(await isFolder(scripts))) {
    tried.push({ place: `cache ${scripts}`, reason: 'not there' });
    return undefined;
  }
  const problem = await problemOfScripts(scripts, wanted.store);
  if (problem === undefined) return scripts;
  tried.push({ place: `cache ${scripts}`, reason: `${problem}; brought anew` });
  return undefined;
}

async function bringAlone(
  options: ScriptsFinderOptions,
  wanted: Wanted,
  tried: ToolAttempt[],
  work: Work,
): Promise<string | undefined> {
  const { cache } = options;
  try {
    return await cache.alone(work, async (alone) => {
      // Another process may have brought them while this one waited.
      return (await inCache(cache, wanted, [])) ?? (await bring(options, wanted, tried, alone));
    });
  } catch (error) {
    work.signal?.throwIfAborted();
    tried.push({ place: `cache ${cache.directory}`, reason: messageOf(error) });
    return undefined;
  }
}

async function bring(
  { cache, releasesUrl, allowGo }: ScriptsFinderOptions,
  { release, store }: Wanted,
  tried: ToolAttempt[],
  work: Work,
): Promise<string | undefined> {
  const ways = [
    {
      place: `source archive of v${release.version} from ${releasesUrl}`,
      fill: (folder: string) => downloadScripts(release, { releasesUrl, folder }, work),
    },
    {
      place: `go mod download ${release.module}@v${release.version}`,
      fill: (folder: string) => copyScriptsOfModule(release, folder, work),
    },
  ].slice(0, allowGo ? 2 : 1);
  for (const { place, fill } of ways) {
    try {
      await cache.keep(release, async (folder) => {
        const scripts = await fill(folder);
        const problem = await problemOfScripts(scripts, store);
        if (problem !== undefined) throw new Error(problem);
        return new Map([[SCRIPTS, scripts]]);
      });
      return cache.pathOf(release, SCRIPTS);
    } catch (error) {
      work.signal?.throwIfAborted();
      tried.push({ place, reason: messageOf(error) });
    }
  }
  return undefined;
}

function unavailable({ release: { version } }: Wanted, tried: readonly ToolAttempt[]): ToolUnavailableError {
  return new ToolUnavailableError(
    'schema scripts',
    version,
    tried,
    `the release's source archive into a folder, so that its ${SCRIPTS} is FOLDER/${version}/${SCRIPTS}`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
