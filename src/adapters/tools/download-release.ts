import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extract } from 'tar';
import type { Work } from '../store.js';
import { download, get } from './download.js';
import type { Program, Release } from './release.js';

/**
 * Fetches the official archive of `release` from below `releasesUrl`, checks it against the checksums published beside it,
 * and unpacks its programs into `folder`. @throws Error that says what was not as it has to be
 */
export async function downloadRelease(
  release: Release,
  { releasesUrl, folder }: { readonly releasesUrl: string; readonly folder: string },
  work: Work,
): Promise<ReadonlyMap<Program, string>> {
  const base = `${releasesUrl}/${release.repository}/releases/download/v${release.version}`;
  const expected = await readChecksum(`${base}/checksums.txt`, release.archive, work);
  const file = join(folder, release.archive);
  const actual = await download(`${base}/${release.archive}`, file, work);
  if (actual !== expected) {
    await rm(file, { force: true });
    throw new Error(`its SHA-256 is ${actual}, but checksums.txt says ${expected}; it was thrown away`);
  }
  const names = new Set<string>(release.programs.map(({ name }) => name));
  const files = new Map<Program, string>();
  await extract({
    file,
    cwd: folder,
    strict: true,
    filter: (path, entry) => {
      // Only plain files at the top, so that no archive can write anywhere else.
      return (
        'type' in entry &&
        entry.type === 'File' &&
        basename(path) === path.replace(/^\.\//, '') &&
        names.has(basename(path))
      );
    },
    onReadEntry: (entry) => {
      const program = release.programs.find(({ name }) => name === basename(entry.path));
      if (program !== undefined) files.set(program.name, join(folder, program.name));
    },
  });
  return files;
}

async function readChecksum(url: string, archive: string, work: Work): Promise<string> {
  const response = await get(url, work.signal);
  const line = (await response.text()).split('\n').find((each) => each.trim().split(/\s+\*?/)[1] === archive);
  const sum = line?.trim().split(/\s+/)[0]?.toLowerCase();
  if (sum === undefined || !/^[0-9a-f]{64}$/.test(sum)) throw new Error(`${url} has no SHA-256 for ${archive}`);
  return sum;
}
