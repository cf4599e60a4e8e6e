import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ComposeDriver, isPodmanCompose, overrideFileOf } from '../../core/input/input.js';

/** Names under which Compose reads a second file by itself, beside one that it found by itself. */
const BY_ITSELF = /^(docker-)?compose\.override\.ya?ml$/;

type Files = Pick<ComposeDriver, 'command' | 'files' | 'overrideFile' | 'envFile'>;

/**
 * Whether an "up" of the operator that names no file reads ours too: by its name, or by COMPOSE_FILE in the .env beside the files,
 * which podman-compose reads in its environment alone.
 */
export async function isReadByItself(input: Files): Promise<boolean> {
  const [first = ''] = input.files;
  const folder = dirname(first);
  const own = overrideFileOf(input);
  if (dirname(own) === folder && BY_ITSELF.test(basename(own)) && input.files.length === 1) return true;
  if (isPodmanCompose(input)) return false;
  const text = await readFile(input.envFile ?? join(folder, '.env'), 'utf8').catch(() => '');
  const value = /^\s*(?:export\s+)?COMPOSE_FILE\s*=\s*["']?([^"'\n#]*)/m.exec(text)?.[1] ?? '';
  return value
    .trim()
    .split(/[:;,]/)
    .some((file) => join(folder, file) === own || file === own);
}

/** What to do so that it is. */
export function howToKeep(input: Files): string {
  const folder = dirname(input.files[0] ?? '');
  const own = overrideFileOf(input);
  const short = (file: string) => (dirname(file) === folder ? basename(file) : file);
  const all = `COMPOSE_FILE=${[...input.files, own].map(short).join(':')}`;
  if (isPodmanCompose(input)) return `set ${all} in the environment wherever podman-compose is run by hand`;
  return `add ${all} to ${input.envFile ?? join(folder, '.env')}`;
}
