import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ComposeDriver, overrideFileOf } from '../../core/input/input.js';
import { codeOf, PreconditionError } from '../../core/errors.js';
import type { ConfigurationFile } from '../driver.js';

/** The files of the project, ours among them. Not .env, where passwords are. @throws PreconditionError when one cannot be read */
export async function configurationFiles(input: ComposeDriver): Promise<ConfigurationFile[]> {
  const files: ConfigurationFile[] = [];
  const own = overrideFileOf(input);
  for (const [index, file] of [...input.files, own].entries()) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      if (file === own && codeOf(cause) === 'ENOENT') return undefined;
      throw new PreconditionError(
        `${file} cannot be read by this worker (${codeOf(cause) ?? 'unknown reason'}); correct "driver.files"`,
        { file },
        { cause },
      );
    });
    // Files of two folders may have one name.
    if (text !== undefined) files.push({ path: `${index + 1}-${basename(file)}`, text });
  }
  return files;
}
