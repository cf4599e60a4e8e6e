import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../../../adapters/run-command.js';

/** What an image holds, and how it begins. */
export interface ImageContent {
  /** Programs by their path in the image. */
  readonly programs: Readonly<Record<string, string>>;
  /** Folders that its user may write. */
  readonly folders?: readonly string[];
  readonly entrypoint: readonly string[];
}

/** The user of Temporal's own images; everything in an image of the lab is his. Servers ask for his name. */
const USER = '1000';
const ENVIRONMENT = ['PATH=/usr/local/bin:/usr/bin:/bin', 'USER=temporal', 'HOME=/etc/temporal'];
const TYPE = 'application/vnd.oci.image';
/** Type of an image's manifest. */
export const MANIFEST_TYPE = `${TYPE}.manifest.v1+json`;

/** Folder of what an image consists of, below the folder of all images: each file by its digest. */
export function blobsOf(images: string): string {
  return join(images, 'blobs');
}

/** File that holds the digest of the manifest of `image`, as in `temporalio/server:1.30.7`. */
export function tagFile(images: string, image: string): string {
  const [repository = '', tag = ''] = image.split(':');
  return join(images, 'tags', repository, tag);
}

/** Makes an image of one layer in the folder `images`, for this machine's kind of processor. @throws CommandError when tar cannot pack it */
export async function makeImage(images: string, image: string, content: ImageContent): Promise<void> {
  const blobs = blobsOf(images);
  await mkdir(blobs, { recursive: true });
  const work = await mkdtemp(join(images, 'part-'));
  try {
    const layer = await keepBlob(blobs, await packLayer(work, content));
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { User: USER, Entrypoint: content.entrypoint, Env: ENVIRONMENT },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: `${TYPE}.config.v1+json`, ...(await keepJson(blobs, work, config)) },
      layers: [{ mediaType: `${TYPE}.layer.v1.tar`, ...layer }],
    };
    const { digest } = await keepJson(blobs, work, manifest);
    const file = tagFile(images, image);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, digest);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function packLayer(work: string, { programs, folders = [] }: ImageContent): Promise<string> {
  const root = join(work, 'root');
  await mkdir(root);
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  for (const [path, program] of Object.entries(programs)) {
    const place = join(root, path);
    await mkdir(dirname(place), { recursive: true });
    await copyFile(program, place);
    await chmod(place, 0o755);
  }
  const layer = join(work, 'layer.tar');
  const owner = [`--owner=${USER}`, `--group=${USER}`, '--numeric-owner'];
  await runCommand('tar', ['--create', '--file', layer, '--directory', root, ...owner, '.'], { timeoutMs: 300_000 });
  return layer;
}

async function keepJson(blobs: string, work: string, value: object) {
  const file = join(work, 'json');
  await writeFile(file, JSON.stringify(value));
  return keepBlob(blobs, file);
}

async function keepBlob(blobs: string, file: string) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const digest = `sha256:${hash.digest('hex')}`;
  const { size } = await stat(file);
  await rename(file, join(blobs, digest));
  return { digest, size };
}
