import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { goEnvironment } from '../adapters/tools/go-command.js';
import { isFile } from '../adapters/tools/tool-cache.js';
import { runCommand } from '../adapters/run-command.js';
import { codeOf, messageOf, PreconditionError } from '../core/errors.js';
import { isReadForFacts, type ReleaseFiles } from './release-files.js';
import { readZip } from './read-zip.js';

const MODULE = 'go.temporal.io/server';

/** A release of the server as text, and where it came from. */
export interface Release {
  readonly version: string;
  readonly files: ReleaseFiles;
  /** `module` of the Go module proxy, or a `folder`. */
  readonly from: 'module' | 'folder';
  /** Day of the release as the proxy tells it, such as `2026-10-31`; undefined for a folder, which does not tell. */
  readonly date: string | undefined;
}

/**
 * Gets a release from the Go module proxy by way of Go and its cache; nothing is compiled or unpacked. `wanted` says by their paths
 * which files are read; those of the facts of the catalogue when left out.
 * @throws PreconditionError when Go or the module cannot be had
 */
export async function getModule(version: string, wanted: (path: string) => boolean = isReadForFacts): Promise<Release> {
  const { zip, info } = await download(version);
  const prefix = `${MODULE}@v${version}/`;
  const archive = await readFile(zip);
  const inside = readZip(archive, (path) => path.startsWith(prefix) && wanted(path.slice(prefix.length)));
  const files = new Map([...inside].map(([path, text]) => [path.slice(prefix.length), text]));
  const { Time } = ModuleInfo.parse(JSON.parse(await readFile(info, 'utf8')));
  return {
    version,
    files: checkRelease(files, `module ${MODULE}@v${version}`),
    from: 'module',
    date: Time.slice(0, 10),
  };
}

/** Reads a release from a folder with the server's source. @throws PreconditionError when it is none */
export async function readFolder(folder: string, version: string): Promise<Release> {
  const files = new Map<string, string>();
  for (const part of ['go.mod', 'schema', 'common', 'components', 'chasm', 'service']) {
    for (const path of await listFiles(folder, part)) {
      if (isReadForFacts(path)) files.set(path, await readFile(join(folder, path), 'utf8'));
    }
  }
  return { version, files: checkRelease(files, `folder ${folder}`), from: 'folder', date: undefined };
}

function checkRelease(files: ReleaseFiles, name: string): ReleaseFiles {
  const missing = ['go.mod', 'schema/'].filter((part) => ![...files.keys()].some((path) => path.startsWith(part)));
  if (missing.length === 0) return files;
  throw new PreconditionError(`${name} is not the source of a Temporal server: it has no ${missing.join(' and no ')}`);
}

async function listFiles(folder: string, part: string): Promise<string[]> {
  try {
    const entries = await readdir(join(folder, part), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTDIR') return [part];
    if (code === 'ENOENT') return [];
    throw error;
  }
}

const ModuleInfo = z.object({ Time: z.string().regex(/^\d{4}-\d\d-\d\dT/) });

interface CachedModule {
  readonly zip: string;
  readonly info: string;
}

/** Lets Go download the module into its cache, and finds it there. Does not ask for what is there already. */
async function download(version: string): Promise<CachedModule> {
  // Outside of any module, whose go.mod would have a say.
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-module-'));
  try {
    // With the Go that is there: one that is too old to build the module says so after downloading it, and text is all we want.
    const go = (...args: readonly string[]) =>
      runCommand('go', args, { cwd: folder, env: { ...goEnvironment(), GOTOOLCHAIN: 'local' }, timeoutMs: 600_000 });
    const cache = (await go('env', 'GOMODCACHE')).stdout.trim();
    const cached = await findCached(cache, version);
    if (cached !== undefined) return cached;
    const failure = await go('mod', 'download', '-json', `${MODULE}@v${version}`).then(
      () => undefined,
      (error: unknown) => error,
    );
    const downloaded = await findCached(cache, version);
    if (downloaded !== undefined) return downloaded;
    throw failure instanceof Error
      ? failure
      : new Error(`Go says that it downloaded the module, but it is not in ${cache}`);
  } catch (cause) {
    // Go says it in JSON, where line ends and tabs are written out.
    const said = /"Error": "(.*)"/.exec(messageOf(cause))?.[1] ?? messageOf(cause);
    const reason = said.replace(/\\[nt]/g, ' ').replace(/\.$/, '');
    throw new PreconditionError(
      `module ${MODULE}@v${version} cannot be had: ${reason}. Give SOURCE, a folder with the server's source of that version`,
      { version },
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The layout is that of the module proxy protocol. Go writes the hash last, once it has checked the archive. */
async function findCached(cache: string, version: string): Promise<CachedModule | undefined> {
  const base = join(cache, 'cache', 'download', MODULE, '@v', `v${version}`);
  const isThere = await Promise.all(['zip', 'ziphash', 'info'].map((end) => isFile(`${base}.${end}`)));
  return isThere.every(Boolean) ? { zip: `${base}.zip`, info: `${base}.info` } : undefined;
}
