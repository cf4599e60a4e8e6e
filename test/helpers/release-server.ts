import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';

/**
 * A program that says a version, as a shell script: what is tested is which file is found, fetched and believed, and the
 * real ones are 100 MB each and lie where tests cannot reach.
 */
export async function writeProgram(file: string, said: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "${said}"\n`);
  await chmod(file, 0o755);
  return file;
}

/** Packs programs as a release archive does, each at the top of a tar.gz. Keys are names, values what they print. */
export async function packArchive(programs: Readonly<Record<string, string>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    for (const [name, said] of Object.entries(programs)) await writeProgram(join(folder, name), said);
    const file = join(folder, 'archive.tar.gz');
    await create({ cwd: folder, file, gzip: true }, Object.keys(programs));
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packs text files as GitHub packs a source archive, all below one folder. Keys are paths, values contents. */
export async function packSource(top: string, files: Readonly<Record<string, string>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'source-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder, top, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const file = join(folder, 'source.tar.gz');
    await create({ cwd: folder, file, gzip: true }, [top]);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Schema scripts as a release has them, one version for each of the two databases. */
export function schemaScripts(): Record<string, string> {
  const manifest = JSON.stringify({ CurrVersion: '1.0', SchemaUpdateCqlFiles: ['base.sql'] });
  const versions = ['temporal', 'visibility'].map((part) => `schema/postgresql/v12/${part}/versioned/v1.0`);
  return Object.fromEntries(
    versions.flatMap((folder) => [
      [`${folder}/manifest.json`, manifest],
      [`${folder}/base.sql`, 'CREATE TABLE t (a INT);'],
    ]),
  );
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A web server on loopback that stands where a mirror of the official releases would. */
export async function startReleaseServer(files: ReadonlyMap<string, Buffer | string>) {
  const requests: string[] = [];
  /** A path that is answered only in half, and never ended, while this is set. */
  const state: { stallAt?: string | undefined } = {};
  let stalled: () => void = () => undefined;
  const halfSent = new Promise<void>((resolve) => (stalled = resolve));
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const body = files.get(path);
    if (body === undefined) return response.writeHead(404).end();
    const data = Buffer.from(body);
    response.writeHead(200, { 'content-length': data.length });
    if (path !== state.stallAt) return response.end(data);
    return response.write(data.subarray(0, data.length / 2), () => stalled());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    state,
    halfSent,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
