import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { Encryption } from '../../core/input/backups.js';
import { runCommand, type CommandOptions } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Work } from '../store.js';
import { factsOf, isWhole, type FileFacts } from './kept-list.js';

/**
 * Encrypts the file `from` into `into` by the operator's command, and sees that the way back gives the same bytes.
 * @throws PreconditionError when it does not; CommandError
 */
export async function encryptFile(
  encryption: Encryption,
  { from, into, plain }: { readonly from: string; readonly into: string; readonly plain: FileFacts },
  work: Work,
): Promise<FileFacts> {
  const { env, secrets } = await readEnvironment(encryption.environment);
  const options = { env, secrets, signal: work.signal };
  await intoFile(encryption.encrypt, { from, into }, options);
  const hash = createHash('sha256');
  let bytes = 0;
  await run(encryption.decrypt, {
    ...options,
    inputFile: into,
    onOutput: (chunk) => {
      hash.update(chunk);
      bytes += chunk.byteLength;
    },
  }).catch((cause: unknown) => {
    throw new PreconditionError(
      `what "encrypt" wrote of ${from} cannot be decrypted: ${messageOf(cause)}; correct "decrypt" of "backups.encryption"`,
      { file: from },
      { cause },
    );
  });
  if (bytes !== plain.bytes || hash.digest('hex') !== plain.sha256) {
    throw new PreconditionError(
      `${from} was encrypted, and what "decrypt" makes of it is something else (${bytes} bytes, not ${plain.bytes}); correct the ` +
        'commands of "backups.encryption"',
      { file: from },
    );
  }
  return factsOf(into, work.signal);
}

/** Decrypts `from` into `into`. @throws PreconditionError when it is not what was encrypted; CommandError */
export async function decryptFile(
  encryption: Encryption,
  { from, into, plain }: { readonly from: string; readonly into: string; readonly plain: FileFacts },
  work: Work,
): Promise<void> {
  const { env, secrets } = await readEnvironment(encryption.environment);
  await intoFile(encryption.decrypt, { from, into }, { env, secrets, signal: work.signal });
  if (await isWhole(into, plain, work.signal)) return;
  throw new PreconditionError(
    `${from} was decrypted, and is not what was encrypted; is "decrypt" still the right one?`,
    {
      file: from,
    },
  );
}

async function intoFile(
  words: readonly string[],
  { from, into }: { readonly from: string; readonly into: string },
  options: CommandOptions,
): Promise<void> {
  const partial = `${into}.partial`;
  try {
    await rm(partial, { force: true });
    await (await open(partial, 'wx', 0o600)).close(); // for this user alone, before a byte is in it
    await run(words, { ...options, inputFile: from, outputFile: partial });
    await rename(partial, into);
  } finally {
    await rm(partial, { force: true });
  }
}

async function run([program = '', ...args]: readonly string[], options: CommandOptions): Promise<void> {
  await runCommand(program, args, options);
}
