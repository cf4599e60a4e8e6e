import { readFile } from 'node:fs/promises';
import { PreconditionError } from '../core/errors.js';

/** A file of certificates or a key. @throws PreconditionError that names it */
export async function readCertificate(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return readFile(file).catch((cause: unknown) => {
    throw new PreconditionError(`TLS file ${file} cannot be read by this worker`, { file }, { cause });
  });
}
