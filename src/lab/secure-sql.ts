import { chown, copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.js';
import type { LabDatabase } from './lab-database.js';

/** Who comes through TLS, with a certificate of a client and the password of the lab; the lab itself goes in without. */
export const SECURED_USER = 'secured';

/** Makes {@link SECURED_USER}, who may do all and is let in through TLS alone, on a server that was just made. */
export async function secureSql(
  server: LabDatabase & { readonly dataDir: string },
  certificates: Certificates,
): Promise<void> {
  await (server.type === 'postgresql' ? securePostgres(server, certificates) : secureMysql(server, certificates));
}

async function securePostgres(
  server: LabDatabase & { readonly dataDir: string },
  certificates: Certificates,
): Promise<void> {
  const { dataDir, password } = server;
  const { uid, gid } = await stat(dataDir);
  for (const [name, file] of filesOf(certificates)) {
    const copy = join(dataDir, `lab-${name}.pem`); // where the server's own user can read it
    await copyFile(file, copy);
    await chown(copy, uid, gid);
    await server.run('postgres', `alter system set ssl_${name}_file = '${copy}'`);
  }
  await server.run('postgres', 'alter system set ssl = on');
  await server.run('postgres', `create role ${SECURED_USER} superuser login password '${password}'`);
  const rules = [
    `hostssl all ${SECURED_USER} 127.0.0.1/32 scram-sha-256 clientcert=verify-ca`,
    `host all ${SECURED_USER} 127.0.0.1/32 reject`,
    'host all all 127.0.0.1/32 scram-sha-256',
  ];
  await writeFile(join(dataDir, 'pg_hba.conf'), `${rules.join('\n')}\n`);
  await server.run('postgres', 'select pg_reload_conf()');
}

async function secureMysql(server: LabDatabase, certificates: Certificates): Promise<void> {
  for (const [name, file] of filesOf(certificates)) await server.run('mysql', `set global ssl_${name} = '${file}'`);
  await server.run('mysql', 'alter instance reload tls');
  const account = `'${SECURED_USER}'@'%'`;
  await server.run(
    'mysql',
    `create user ${account} identified with mysql_native_password by '${server.password}' require x509`,
  );
  await server.run('mysql', `grant all on *.* to ${account} with grant option`);
}

function filesOf({ ca, serverCert: cert, serverKey: key }: Certificates): [string, string][] {
  return Object.entries({ ca, cert, key });
}
