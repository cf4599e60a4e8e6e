import { fileURLToPath } from 'node:url';
import { CATALOGUE_VARIABLE } from '../adapters/catalogue-file.js';
import { InvalidRolloutError, PreconditionError } from '../core/errors.js';
import { build, buildShapes, check, type Task } from './build.js';

/** `make catalogue`, `make catalogue-check`, `make shapes`: reads a release of the server. Exits 1 when that failed or differs. */
const [command = '', version = '', source = ''] = process.argv.slice(2);
const task: Task = {
  version,
  source: source === '' ? undefined : source,
  directory: process.env[CATALOGUE_VARIABLE] || fileURLToPath(new URL('../../catalogue', import.meta.url)),
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  if (command === 'add') await build(task, say);
  else if (command === 'shapes') await buildShapes(task, say);
  else if (command === 'check') process.exitCode = (await check(task, say)) ? 0 : 1;
  else throw new PreconditionError(`there is no command "${command}"; there are add, check and shapes`);
} catch (error) {
  if (!(error instanceof PreconditionError || error instanceof InvalidRolloutError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
