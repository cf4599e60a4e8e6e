import { access, chmod, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { Work } from '../store.js';
import type { Program, Release } from './release.js';
import { isFile } from './tool-cache.js';
import { ToolUnavailableError, type ToolAttempt } from './tool-unavailable.js';
import { readToolVersion } from './tool-version.js';

/** What is asked for: a program, of which release, and which versions will do. */
export interface Wanted {
  readonly program: Program;
  readonly release: Release;
  readonly accepts: (version: string) => boolean;
  /** The versions that will do, in words. */
  readonly expected: string;
}

/** A folder that an operator names is meant: what lies there is taken, or it is an error. */
export async function findInFolder(
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
export async function findOnPath(
  path: string,
  wanted: Wanted,
  tried: ToolAttempt[],
  work: Work,
): Promise<string | undefined> {
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
export async function checkBrought(
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

/** Why the program at `file` will not do; undefined when it will. */
export async function problemOf(file: string, wanted: Wanted, work: Work): Promise<string | undefined> {
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
