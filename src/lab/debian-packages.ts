import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { defaultCacheDir } from '../adapters/cache-dir.js';
import { writeWhole } from '../adapters/write-whole.js';

/**
 * Packages of Debian or Ubuntu, unpacked below the cache: nothing is installed, and no service of theirs is started. Each is a
 * name, or several of which the first that is known is taken. @throws CommandError when apt-get does not give them
 */
export async function unpackedPackages(
  name: string,
  packages: readonly (string | readonly string[])[],
): Promise<string> {
  const folder = join(defaultCacheDir(), name);
  try {
    await access(folder);
    return folder;
  } catch {
    await unpack(folder, packages);
    return folder;
  }
}

/** Where the libraries of unpacked packages are. */
export async function librariesOf(folder: string): Promise<string> {
  const libraries = join(folder, 'usr', 'lib');
  const [architecture = '.'] = (await readdir(libraries)).filter((each) => each.endsWith('-linux-gnu'));
  return join(libraries, architecture);
}

/** Folder of programs of unpacked packages with their libraries around them, so that whoever calls them needs to know of neither. */
export async function unpackedPrograms(unpacked: string, bin: string, names: readonly string[]): Promise<string> {
  const folder = join(unpacked, 'programs');
  await mkdir(folder, { recursive: true });
  const libraries = await librariesOf(unpacked);
  for (const name of names) {
    const script = `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' exec '${join(unpacked, bin, name)}' "$@"\n`;
    await writeWhole(join(folder, name), script, 0o755);
  }
  return folder;
}

async function unpack(folder: string, packages: readonly (string | readonly string[])[]): Promise<void> {
  await mkdir(defaultCacheDir(), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    // A fresh machine has no lists of packages yet.
    await downloadAll(packages, work).catch(async () => {
      await runCommand('apt-get', ['update']);
      await downloadAll(packages, work);
    });
    const archives = (await readdir(work)).filter((each) => each.endsWith('.deb'));
    for (const one of archives) await runCommand('dpkg-deb', ['--extract', one, 'all'], { cwd: work });
    await rename(join(work, 'all'), folder).catch(async (error: unknown) => {
      await access(folder).catch(() => {
        throw error; // else somebody was faster
      });
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function downloadAll(packages: readonly (string | readonly string[])[], cwd: string): Promise<void> {
  for (const one of packages) await download(typeof one === 'string' ? [one] : one, cwd);
}

async function download([name, ...others]: readonly string[], cwd: string): Promise<void> {
  if (name === undefined) return;
  try {
    await runCommand('apt-get', ['download', name], { cwd });
  } catch (error) {
    if (others.length === 0) throw error;
    await download(others, cwd);
  }
}
