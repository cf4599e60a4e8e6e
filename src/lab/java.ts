import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { PreconditionError } from '../core/errors.js';

/** Where distributions put theirs. */
const FOLDER = '/usr/lib/jvm';

/** A Java of one of the major versions `majors`, the first of them that is there. @throws PreconditionError when none is */
export async function findJava(majors: readonly number[]): Promise<string> {
  const installed = await readdir(FOLDER).catch(() => []);
  const home = process.env['JAVA_HOME'];
  const candidates = [
    ...(home === undefined || home === '' ? [] : [join(home, 'bin', 'java')]),
    'java',
    ...installed.sort().map((name) => join(FOLDER, name, 'bin', 'java')),
  ];
  const found = new Map<number, string>();
  for (const java of candidates) {
    const major = await majorOf(java);
    if (major !== undefined && !found.has(major)) found.set(major, java);
  }
  for (const major of majors) {
    const java = found.get(major);
    if (java !== undefined) return java;
  }
  throw new PreconditionError(
    `the lab needs Java ${majors.join(' or ')}; found ${[...found.keys()].join(', ') || 'none'}. Install openjdk-17-jre-headless, or set JAVA_HOME`,
  );
}

/** Of `openjdk version "17.0.15" 2025-04-15`; undefined when there is none, or it says something else. */
async function majorOf(java: string): Promise<number | undefined> {
  const said = await runCommand(java, ['-version'], { timeoutMs: 20_000 }).then(
    ({ stdout, stderr }) => stderr + stdout,
    () => '',
  );
  const [, major] = /version "(\d+)/.exec(said) ?? [];
  return major === undefined ? undefined : Number(major);
}
