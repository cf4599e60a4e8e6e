import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../core/errors.js';
import { runCommand } from '../run-command.js';

/** What a program says when its build set no version: the tools up to 1.28 and the CLI of `go install`. */
const PLACEHOLDERS = new Set(['0.0.0', '0.0.1']);

/** Asking takes seconds on a busy machine, and is right until the file is another one. */
const known = new Map<string, string>();

/** The version of a program, or why it cannot be told. */
export type ToolVersion = { readonly version: string } | { readonly problem: string };

/** Asks the program at `path` for its version; where it has none to give, what Go wrote into the file tells it. */
export async function readToolVersion(path: string, signal?: AbortSignal): Promise<ToolVersion> {
  const { mtimeMs, size, ino } = await stat(path);
  const key = `${path} ${ino} ${size} ${mtimeMs}`;
  const before = known.get(key);
  if (before !== undefined) return { version: before };
  const found = await findVersion(path, signal);
  if ('version' in found) known.set(key, found.version);
  return found;
}

async function findVersion(path: string, signal?: AbortSignal): Promise<ToolVersion> {
  const said = await ask(path, signal);
  if ('problem' in said || !PLACEHOLDERS.has(said.version)) return said;
  const built = await readModuleVersion(path);
  if (built !== undefined) return { version: built };
  // A schema tool up to 1.28 of an official archive knows its version in no way; the server beside it does.
  const server = join(dirname(path), 'temporal-server');
  const neighbour = server === path ? undefined : await ask(server, signal);
  if (neighbour !== undefined && 'version' in neighbour && !PLACEHOLDERS.has(neighbour.version)) return neighbour;
  return { problem: `it says version ${said.version}, which is none, and no temporal-server lies beside it to tell` };
}

async function ask(path: string, signal?: AbortSignal): Promise<ToolVersion> {
  try {
    const { stdout, stderr } = await runCommand(path, ['--version'], { timeoutMs: 60_000, signal });
    const version = /version v?(\d+\.\d+\.\d+)/.exec(`${stdout}\n${stderr}`)?.[1];
    return version === undefined ? { problem: 'its answer to --version names no version' } : { version };
  } catch (error) {
    signal?.throwIfAborted();
    return { problem: messageOf(error) };
  }
}

/**
 * The version of the main module, from the build information that Go puts into every binary as text
 * (`mod<tab>MODULE<tab>vVERSION<tab>`). Read from the file, as the machine may have no Go.
 */
async function readModuleVersion(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const chunk = Buffer.alloc(4 * 1024 * 1024);
    let rest = '';
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return undefined;
      const text = rest + chunk.toString('latin1', 0, bytesRead);
      const match = /\nmod\t(?:go\.temporal\.io\/server|github\.com\/temporalio\/cli)\tv(\d+\.\d+\.\d+)[\t+\n]/.exec(
        text,
      );
      if (match?.[1] !== undefined) return match[1];
      rest = text.slice(-200); // the line may lie across two chunks
    }
  } finally {
    await file.close();
  }
}
