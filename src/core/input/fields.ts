import { z } from 'zod';
import { isServerVersion } from '../version.js';

/** Kinds of values that several parts of an input share. */

/** Where a secret is: an environment variable, or a file, of the worker that does the work. Never the secret itself. */
export const SecretRef = z.union([
  z.strictObject({ env: z.string().min(1).describe('Name of an environment variable of the worker.') }),
  z.strictObject({
    file: z.string().min(1).describe('Path of a file on the host of the worker; a last newline is cut.'),
  }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

const HOST_AND_PORT = /^(\[[^\]]+\]|[^:\s]+):(\d{1,5})$/;
/** `host:port`, IPv6 in square brackets. */
export const HostAndPort = z
  .string()
  .regex(HOST_AND_PORT, 'expected host:port, such as "temporal.example.com:7233"')
  // Not with `abort` at the first check: an aborted field would keep the checks between fields from running.
  .refine((address) => {
    const port = HOST_AND_PORT.exec(address)?.[2];
    return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  }, 'the port is not between 1 and 65535');
/** A released version in full. */
export const ServerVersion = z
  .string()
  .refine(isServerVersion, 'expected a version in full, such as "1.30.7"')
  .meta({ pattern: '^\\d+\\.\\d+\\.\\d+$' });
export const FilePath = z.string().min(1);

export const Tls = z
  .strictObject({
    serverCaFile: FilePath.optional().describe('Certificate authority of the server; the system’s when left out.'),
    clientCertFile: FilePath.optional().describe('Certificate of the client, where the server wants one.'),
    clientKeyFile: FilePath.optional().describe('Its key.'),
    serverName: z.string().min(1).optional().describe('Name to expect in the server’s certificate.'),
  })
  .refine(({ clientCertFile, clientKeyFile }) => (clientCertFile === undefined) === (clientKeyFile === undefined), {
    path: ['clientKeyFile'],
    message: 'a client certificate and its key are given together',
  });
export type Tls = z.infer<typeof Tls>;

export const Role = z.enum(['frontend', 'internal-frontend', 'history', 'matching', 'worker']);
export type Role = z.infer<typeof Role>;
