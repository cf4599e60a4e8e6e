import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, runCommand } from '../adapters/run-command.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { librariesOf, unpackedPackages } from './debian-packages.js';

/** A program that a machine may lack. */
export interface WantedProgram {
  /** Of the folder below the cache, and for people. */
  readonly name: string;
  /** As it is called where it is installed: a name, or a path. */
  readonly installed: string;
  /** Its packages, with those libraries that a machine without it may not have; as {@link unpackedPackages} takes them. */
  readonly packages: readonly (string | readonly string[])[];
  /** Where it lies among the files of its packages; the first that is there counts. */
  readonly places: readonly [string, ...string[]];
  /** Arguments at which it says something and ends. */
  readonly asked: readonly string[];
  /** What a person would install, in words. */
  readonly install: string;
}

/** A program that can be run, and what it needs when it is not an installed one. */
export interface SystemProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where its packages were unpacked; undefined for the one of the system. */
  readonly folder: string | undefined;
}

const TIMEOUT_MS = 20_000;
/** The dynamic loader's, when a library or a symbol is missing; a shell's, when there is no such program. */
const CANNOT_BE_RUN = 127;

/**
 * The program of the system, else that of Debian's or Ubuntu's packages, unpacked into the cache: nothing is installed, and no
 * service of it is started.
 * @throws PreconditionError when there is neither
 */
export async function findSystemProgram(wanted: WantedProgram): Promise<SystemProgram> {
  const { name, asked, install } = wanted;
  const installed: SystemProgram = { program: wanted.installed, env: {}, folder: undefined };
  if (await runs(installed, asked)) return installed;
  const folder = await unpackedPackages(name, wanted.packages).catch((cause: unknown) => {
    throw new PreconditionError(
      `no ${name}: none is installed, and apt-get cannot bring its package (${messageOf(cause).slice(0, 300)}); install ${install}`,
      {},
      { cause },
    );
  });
  const found = { program: await firstOf(folder, wanted.places), env: await environmentOf(folder), folder };
  if (await runs(found, asked)) return found;
  throw new PreconditionError(`${found.program} cannot be run here; install ${install}`);
}

async function firstOf(folder: string, [first, ...others]: readonly [string, ...string[]]): Promise<string> {
  for (const place of [first, ...others]) {
    const path = join(folder, place);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return join(folder, first);
}

/** Its libraries; a program that is whole by itself has none. */
async function environmentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  return librariesOf(folder).then(
    (libraries) => ({ LD_LIBRARY_PATH: libraries }),
    () => ({}),
  );
}

async function runs({ program, env }: SystemProgram, asked: readonly string[]): Promise<boolean> {
  return runCommand(program, asked, { env, timeoutMs: TIMEOUT_MS }).then(
    () => true,
    // Older releases of some do not know what they are asked, and say so.
    (error: unknown) => error instanceof CommandError && ![undefined, CANNOT_BE_RUN].includes(error.exitCode),
  );
}
