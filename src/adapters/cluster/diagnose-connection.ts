import net from 'node:net';
import tls from 'node:tls';
import { splitAddress } from '../../core/address.js';
import { messageOf } from '../../core/errors.js';
import type { ReachableBy } from '../connection-options.js';

const TIMEOUT_MS = 5_000;

/**
 * Why a frontend cannot be connected to, in words for the operator: gRPC itself says no more than that its time is over.
 * Undefined when network and TLS are as expected. `where` is where the connection is described.
 */
export async function diagnoseConnection(
  address: string,
  settings: ReachableBy['tls'],
  where = '"tls" of the connection',
): Promise<string | undefined> {
  const { host, port } = splitAddress(address);
  const unreachable = await failureOf(() => net.connect({ host, port }), 'connect');
  if (unreachable !== undefined) {
    return `nothing answers there (${unreachable}); is the address right, does it run, and is the way open from here?`;
  }
  const wantsTls = settings !== undefined && settings !== false;
  if (!wantsTls) {
    // A server that expects TLS completes a handshake, or breaks it off for want of a client certificate.
    const noTls = await failureOf(() => tls.connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }));
    return noTls === undefined || /certificate/i.test(noTls)
      ? `it expects TLS, and the connection has none; set ${where}`
      : undefined;
  }
  const given = settings === true ? {} : settings;
  const failure = await failureOf(() =>
    tls.connect({
      host,
      port,
      ALPNProtocols: ['h2'],
      ca: toBuffer(given.serverRootCACertificate),
      cert: toBuffer(given.clientCertPair?.crt),
      key: toBuffer(given.clientCertPair?.key),
      // Without a name of its own TLS would compare an IP address as it is, and so does gRPC.
      ...(given.serverNameOverride ? { servername: given.serverNameOverride } : {}),
    }),
  );
  if (failure === undefined) return undefined;
  return /wrong version number|packet length|ECONNRESET|disconnected before secure|record/i.test(failure)
    ? `it does not speak TLS (${failure}); remove ${where}, or use the port that does`
    : `the TLS settings do not fit (${failure}); correct ${where}`;
}

function toBuffer(bytes: Uint8Array | null | undefined): Buffer | undefined {
  return bytes ? Buffer.from(bytes) : undefined;
}

function reasonOf(error: Error): string {
  // OpenSSL's message has file names and line breaks; what it means stands in `reason`.
  if ('reason' in error && typeof error.reason === 'string' && error.message.includes(':error:')) return error.reason;
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name; // refused at every address of one name: no message
}

/** What goes wrong with a connection until it is ready; undefined when it gets there. */
async function failureOf(open: () => net.Socket, ready: 'connect' | 'secureConnect' = 'secureConnect') {
  let socket: net.Socket;
  try {
    socket = open();
  } catch (error) {
    return messageOf(error); // a certificate that cannot be parsed, or a port that is none
  }
  return new Promise<string | undefined>((resolve) => {
    socket.once(ready, () => resolve(undefined));
    socket.once('error', (error) => resolve(reasonOf(error)));
    socket.once('close', () => resolve('the connection was closed'));
    socket.setTimeout(TIMEOUT_MS, () => resolve(`no answer in ${TIMEOUT_MS / 1_000} s`));
  }).finally(() => socket.destroy());
}
