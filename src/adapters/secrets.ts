import { readFile } from 'node:fs/promises';
import { PreconditionError } from '../core/errors.js';
import type { SecretRef } from '../core/input/input.js';

/** Reads a secret where it is needed. @throws PreconditionError naming the variable or file, never its content. */
export async function readSecret(ref: SecretRef): Promise<string> {
  if ('env' in ref) {
    const value = process.env[ref.env];
    if (value !== undefined) return value;
    throw new PreconditionError(
      `environment variable ${ref.env} is not set for this worker; set it and start the worker again`,
    );
  }
  try {
    return (await readFile(ref.file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new PreconditionError(`secret file ${ref.file} cannot be read by this worker`, { file: ref.file }, { cause });
  }
}

/** An environment with its secrets read, and those secrets by themselves, to blacken. @throws PreconditionError as above */
export async function readEnvironment(
  environment: Readonly<Record<string, string | SecretRef>>,
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly secrets: readonly string[] }> {
  const secrets: string[] = [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    const text = typeof value === 'string' ? value : await readSecret(value);
    env[name] = text;
    if (typeof value !== 'string') secrets.push(text);
  }
  return { env, secrets };
}
