import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import type { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { codeOf, messageOf, PreconditionError } from '../../core/errors.js';
import type { ObjectStoreInput } from '../../core/input/backups.js';
import { readSecret } from '../secrets.js';
import type { Work } from '../store.js';

/** A part of a large object; S3 takes ten thousand of them. */
const PART_BYTES = 64 * 1024 * 1024;
/** Most objects that one request removes. */
const REMOVED_AT_ONCE = 1_000;
const CONNECT_MS = 10_000;
const SILENT_MS = 60_000;
const ATTEMPTS = 5;

/** A bucket of S3, or of what speaks like it. Keys are relative to the prefix of the input. */
export class ObjectStore {
  readonly #client: S3Client;
  readonly #input: ObjectStoreInput;

  private constructor(client: S3Client, input: ObjectStoreInput) {
    this.#client = client;
    this.#input = input;
  }

  /** Opens it for `use`. @throws PreconditionError in the words of the operator */
  static async with<T>(input: ObjectStoreInput, use: (store: ObjectStore) => Promise<T>): Promise<T> {
    const client = new S3Client(await configurationOf(input));
    try {
      return await use(new ObjectStore(client, input));
    } catch (error) {
      throw asPreconditionError(error, input);
    } finally {
      client.destroy();
    }
  }

  /** Stores a file, in parts where it is large; what a killed upload leaves is the bucket's to clear (its lifecycle rules). */
  async put(key: string, file: string, { signal, onProgress }: Work): Promise<void> {
    signal?.throwIfAborted();
    const upload = new Upload({
      client: this.#client,
      partSize: PART_BYTES,
      queueSize: 2,
      params: { ...this.#at(key), Body: createReadStream(file) },
    });
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort, { once: true });
    upload.on('httpUploadProgress', ({ loaded = 0 }) => onProgress?.(`${loaded} bytes of ${key} stored`));
    try {
      await upload.done();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async putText(key: string, text: string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#at(key), Body: text, ContentType: 'application/json' }));
  }

  /** The bytes of an object. */
  async read(key: string, { signal }: Work): Promise<Readable> {
    const { Body } = await this.#client.send(
      new GetObjectCommand(this.#at(key)),
      signal === undefined ? {} : { abortSignal: signal },
    );
    // On Node the body is a stream of Node; the type is that of every platform.
    return Body as Readable;
  }

  /** A small object; undefined when there is none. */
  async readText(key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#at(key)));
      return await Body?.transformToString('utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Bytes of an object; undefined when there is none. */
  async sizeOf(key: string): Promise<number | undefined> {
    try {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#at(key)));
      return ContentLength;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Keys below `folder`, which ends with `/` or is empty. */
  async *list(folder: string): AsyncGenerator<string> {
    const { bucket, prefix } = this.#input;
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${folder}`, ContinuationToken }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(prefix.length);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  /** @throws Error naming the first that could not be removed */
  async remove(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += REMOVED_AT_ONCE) {
      const Objects = keys.slice(from, from + REMOVED_AT_ONCE).map((key) => ({ Key: this.#at(key).Key }));
      const { Errors = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#input.bucket, Delete: { Objects, Quiet: true } }),
      );
      const [first] = Errors;
      if (first !== undefined)
        throw new Error(`${first.Key ?? ''} was not removed: ${first.Message ?? first.Code ?? ''}`);
    }
  }

  /** For people: `s3://backups/temporal/prod/`. */
  get place(): string {
    return `s3://${this.#input.bucket}/${this.#input.prefix}`;
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#input.bucket, Key: `${this.#input.prefix}${key}` };
  }
}

async function configurationOf(input: ObjectStoreInput): Promise<S3ClientConfig> {
  const { endpoint, region, pathStyle, accessKeyId, secretAccessKey, caFile } = input;
  return {
    region,
    forcePathStyle: pathStyle,
    maxAttempts: ATTEMPTS,
    // Others than AWS do not all know the newer checksums. What is stored is read back and compared by SHA-256 anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: SILENT_MS,
      ...(caFile === undefined ? {} : { httpsAgent: new Agent({ ca: await readFile(caFile) }) }),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: await readSecret(accessKeyId),
            secretAccessKey: await readSecret(secretAccessKey),
          },
        }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

function asPreconditionError(error: unknown, { bucket, endpoint, region }: ObjectStoreInput): unknown {
  if (error instanceof PreconditionError) return error;
  const where = `the bucket "${bucket}" at ${endpoint ?? `AWS (${region})`}`;
  const say = (reason: string, text: string) =>
    new PreconditionError(`${where} ${text}`, { bucket, endpoint, reason }, { cause: error });
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode;
    if (error.name === 'NoSuchBucket') return say('no-bucket', 'is not there; make it, or correct "bucket"');
    if (status === 401 || status === 403) {
      return say(
        'no-rights',
        `refuses: ${error.name}; correct "accessKeyId" and "secretAccessKey", or grant the key its rights`,
      );
    }
    return say('refused', `answers ${error.name}: ${error.message}`);
  }
  const said = `${codeOf(error) ?? ''} ${nameOf(error)} ${messageOf(error)}`;
  if (/\b(ECONN\w+|ENOTFOUND|EAI_\w+|EHOST\w+|ENETUNREACH|ETIMEDOUT)\b|Timeout/.test(said)) {
    return say('unreachable', `cannot be reached: ${messageOf(error)}; correct "endpoint", or see that it runs`);
  }
  if (/certificate|self.signed|SSL|TLS|EPROTO/i.test(said)) {
    return say(
      'tls',
      `cannot be reached with these TLS settings: ${messageOf(error)}; correct "endpoint" and "caFile"`,
    );
  }
  return error;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
