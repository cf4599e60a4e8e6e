import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import type { Tls } from '../core/input/input.js';

/** Certificates of a lab cluster: one authority, one certificate for its servers and one for its clients. */
export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** Name in the servers' certificate. */
  readonly serverName: string;
}

const SERVER_NAME = 'temporal.lab';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes the certificates in `directory` with openssl. @throws CommandError when openssl is missing or fails */
export async function makeCertificates(directory: string): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = (name: string) => join(directory, name);
  const [ca, caKey] = [path('ca.pem'), path('ca.key')];
  await openssl(['req', '-x509', ...NEW_KEY, '-days', '30', '-subj', '/CN=lab CA', '-keyout', caKey, '-out', ca]);
  const sign = async (role: 'server' | 'client', usage: string) => {
    const [cert, key, request] = [path(`${role}.pem`), path(`${role}.key`), path(`${role}.csr`)];
    const extensions = path(`${role}.ext`);
    await writeFile(
      extensions,
      `subjectAltName = DNS:${SERVER_NAME}, DNS:localhost, IP:127.0.0.1\nextendedKeyUsage = ${usage}\n`,
    );
    await openssl(['req', '-new', ...NEW_KEY, '-subj', `/CN=lab ${role}`, '-keyout', key, '-out', request]);
    const issue = ['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '30'];
    await openssl([...issue, '-extfile', extensions, '-out', cert]);
    return { cert, key };
  };
  // One after the other: they share the authority's file of serial numbers. Between roles a server is a client too.
  const server = await sign('server', 'serverAuth, clientAuth');
  const client = await sign('client', 'clientAuth');
  return {
    ca,
    serverCert: server.cert,
    serverKey: server.key,
    clientCert: client.cert,
    clientKey: client.key,
    serverName: SERVER_NAME,
  };
}

/** What a client of a cluster with these certificates needs, in the form of the roll-out's input. */
export function clientTls({ ca, clientCert, clientKey, serverName }: Certificates): Tls {
  return { serverCaFile: ca, clientCertFile: clientCert, clientKeyFile: clientKey, serverName };
}

/** `global.tls` of a server configuration: both sides prove who they are, between the roles and at the frontend. */
export function serverTls({ ca, serverCert, serverKey, serverName }: Certificates): object {
  const server = { certFile: serverCert, keyFile: serverKey, requireClientAuth: true, clientCaFiles: [ca] };
  const client = { serverName, rootCaFiles: [ca] };
  return {
    internode: { server, client },
    frontend: { server, client },
    systemWorker: { certFile: serverCert, keyFile: serverKey, client },
  };
}

/** `tls` of a datastore in a server configuration. */
export function datastoreTls({ ca, clientCert, clientKey, serverName }: Certificates): object {
  return {
    enabled: true,
    ...{ caFile: ca, certFile: clientCert, keyFile: clientKey },
    enableHostVerification: true,
    serverName,
  };
}

async function openssl(args: readonly string[]): Promise<void> {
  await runCommand('openssl', args, { timeoutMs: 30_000 });
}
