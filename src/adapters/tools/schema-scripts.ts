import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { extract } from 'tar';
import { z } from 'zod';
import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';
import { download } from './download.js';
import { downloadModule } from './go-command.js';
import { SCRIPTS, type Release } from './release.js';
import { isFile } from './tool-cache.js';

const Manifest = z.object({ CurrVersion: z.string(), SchemaUpdateCqlFiles: z.array(z.string()).min(1) });

/** Where the scripts of `store`, such as `postgresql/v12/temporal`, lie below a folder {@link SCRIPTS}; for `--schema-dir`. */
export function versionedScripts(scripts: string, store: string): string {
  return join(scripts, store, 'versioned');
}

/** Why the folder `scripts` will not do for `store`; undefined when each version there has all the files that it lists. */
export async function problemOfScripts(scripts: string, store: string): Promise<string | undefined> {
  const folder = versionedScripts(scripts, store);
  try {
    const versions = (await readdir(folder)).filter((name) => /^v\d/.test(name));
    if (versions.length === 0) return `${folder} has no version`;
    for (const version of versions) {
      for (const file of await filesOf(join(folder, version), store)) {
        if (!(await isFile(join(folder, version, file)))) return `${version} of ${folder} lacks its ${file}`;
      }
    }
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A search server has no statements to run: there each version is one template. */
async function filesOf(folder: string, store: string): Promise<readonly string[]> {
  if (store.startsWith('elasticsearch/')) return ['index_template_v7.json'];
  const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
  return Manifest.parse(JSON.parse(manifest)).SchemaUpdateCqlFiles;
}

/**
 * Fetches the source archive of `release` from below `releasesUrl` and unpacks its scripts into `folder`. GitHub makes these
 * archives when they are asked for and publishes no checksum of them: who serves the address is trusted.
 */
export async function downloadScripts(
  release: Release,
  { releasesUrl, folder }: { readonly releasesUrl: string; readonly folder: string },
  work: Work,
): Promise<string> {
  const name = `v${release.version}.tar.gz`;
  const file = join(folder, name);
  await download(`${releasesUrl}/${release.repository}/archive/refs/tags/${name}`, file, work);
  // Everything lies below one folder, `temporal-1.22.4/`. Links are left out, so that nothing points elsewhere.
  const filter = (path: string, entry: object) =>
    path.split('/')[1] === SCRIPTS && 'type' in entry && (entry.type === 'File' || entry.type === 'Directory');
  await extract({ file, cwd: folder, strict: true, strip: 1, filter });
  await rm(file);
  return join(folder, SCRIPTS);
}

/** Takes the scripts out of the release's Go module, which Go checks against its checksum database. */
export async function copyScriptsOfModule(release: Release, folder: string, work: Work): Promise<string> {
  const source = join(await downloadModule(release, folder, work), SCRIPTS);
  const target = join(folder, SCRIPTS);
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(target, from.slice(source.length));
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
    await chmod(to, 0o644); // Go's cache is read-only
  }
  return target;
}
