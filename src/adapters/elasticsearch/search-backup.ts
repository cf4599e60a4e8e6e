import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { placeOfStore, type ElasticsearchStore } from '../../core/input/input.js';
import { every, writeBackup } from '../backup-file.js';
import type { Backup, Work } from '../store.js';
import { readDocuments, type Document } from './documents.js';
import { parse, stringify } from './long-json.js';
import { withSearch, type SearchClient } from './search-connection.js';
import { readServer } from './search-inspect.js';
import { readSearchVersion } from './search-schema.js';
import { takeSnapshot } from './search-snapshot.js';

/** First line of a backup: all that is needed to make the index anew. */
const Header = z.object({
  index: z.string(),
  mappings: z.record(z.string(), z.unknown()),
  settings: z.record(z.string(), z.unknown()),
});
export type Header = z.infer<typeof Header>;

const Line = z.object({
  id: z.string(),
  version: z.union([z.number(), z.bigint()]),
  source: z.record(z.string(), z.unknown()),
});

const Described = z.record(
  z.string(),
  z.object({
    mappings: z.record(z.string(), z.unknown()),
    settings: z.object({ index: z.looseObject({}) }),
  }),
);

/** Settings that say which index it is, and cannot be given to another. */
const ITS_OWN = ['creation_date', 'provided_name', 'uuid', 'version', 'blocks', 'resize', 'routing', 'history'];

/**
 * Writes every document of the index into `file`, one moment's all of them, compressed, a line each after a line with mapping and
 * settings; reads it back. Where the input names a snapshot repository the nodes take a snapshot in its place. A whole backup that is
 * already there is kept.
 * @throws PreconditionError when the file belongs to another index, or the index cannot be read
 */
export async function backUpSearch(input: ElasticsearchStore, file: string, work: Work): Promise<Backup> {
  return writeBackup(
    placeOfStore(input),
    file,
    async (partial) =>
      withSearch(input, async (client) => {
        const { version } = await readServer(client);
        const schemaVersion = await readSearchVersion(client, input);
        const { snapshotRepository: repository } = input;
        if (repository !== undefined) {
          const record = await takeSnapshot(client, { repository, file }, work);
          await writeFile(partial, `${JSON.stringify(record, undefined, 2)}\n`);
          return { serverVersion: version, schemaVersion, entries: 1 };
        }
        const header = await readHeader(client);
        let written = 0;
        const stop = every(() => Promise.resolve(`${written} documents written`), work);
        try {
          const lines = async function* () {
            yield `${stringify(header)}\n`;
            for await (const document of readDocuments(client)) {
              work.signal?.throwIfAborted();
              written += 1;
              yield `${stringify(document)}\n`;
            }
          };
          await pipeline(lines, createGzip({ level: 1 }), createWriteStream(partial, { flags: 'r+' }), {
            ...(work.signal === undefined ? {} : { signal: work.signal }),
          });
        } finally {
          stop();
        }
        const read = await countDocuments(partial, work);
        if (read !== written) throw new Error(`the backup was read back and has ${read} documents, not ${written}`);
        return { serverVersion: version, schemaVersion, entries: read + 1, rows: { documents: read } };
      }),
    work,
  );
}

async function readHeader(client: SearchClient): Promise<Header> {
  const found = Object.entries(await client.get(`/${encodeURIComponent(client.index)}`, Described));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new PreconditionError(`"${client.index}" stands for ${found.length} indexes, and a backup is of one`);
  }
  const [index, { mappings, settings }] = only;
  const own = Object.fromEntries(Object.entries(settings.index).filter(([name]) => !ITS_OWN.includes(name)));
  return { index, mappings, settings: { index: own } };
}

/** What a backup holds: its first line, and its documents one after the other. @throws PreconditionError when it is damaged */
export async function withBackup<T>(
  file: string,
  use: (header: Header, documents: AsyncIterable<Document>) => Promise<T>,
): Promise<T> {
  const packed = createReadStream(file).on('error', (error) => unpack.destroy(error));
  const unpack = createGunzip();
  packed.pipe(unpack);
  const lines = createInterface({ input: unpack, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const next = async <P>(shape: z.ZodType<P>): Promise<P | undefined> => {
    try {
      const line = await lines.next();
      return line.done === true ? undefined : shape.parse(parse(line.value));
    } catch (cause) {
      throw new PreconditionError(
        `${file} cannot be read as the backup of an index: ${messageOf(cause)}`,
        { file },
        { cause },
      );
    }
  };
  const documents = async function* (): AsyncGenerator<Document> {
    for (let one = await next(Line); one !== undefined; one = await next(Line)) yield one;
  };
  try {
    const header = await next(Header);
    if (header === undefined) throw new PreconditionError(`${file} is empty, and no backup of an index`, { file });
    return await use(header, documents());
  } finally {
    packed.destroy();
    unpack.destroy();
  }
}

/** Documents of a backup, every one of them read. */
export async function countDocuments(file: string, work: Work): Promise<number> {
  return withBackup(file, async (_header, documents) => {
    let count = 0;
    const all = documents[Symbol.asyncIterator]();
    while ((await all.next()).done !== true) {
      if (count % 1_000 === 0) work.signal?.throwIfAborted();
      count += 1;
    }
    return count;
  });
}
