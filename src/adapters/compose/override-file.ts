import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { codeOf, messageOf, PreconditionError } from '../../core/errors.js';
import { shellLine } from '../../core/shell-line.js';
import { journaled } from '../command-journal.js';
import { READABLE, writeWhole } from '../write-whole.js';

const FIRST_LINE = '# Written by temporal-upgrade: the image of each service that it replaced.';
const MORE_LINES = ['# Laid over your files; keep it, or the next "up" goes back to the images in them.'];

/** Compose passes over keys that begin with `x-`. */
const OWN_KEY = 'x-temporal-upgrade';

const Content = z.object({
  services: z.record(z.string(), z.object({ image: z.string() })).default({}),
  [OWN_KEY]: z.object({ containers: z.record(z.string(), z.int().positive()) }).optional(),
});

/** What our file says. */
export interface Override {
  /** Service to image. */
  readonly images: Readonly<Record<string, string>>;
  /** How many containers a service has, while one of them is being replaced and may be missing. */
  readonly containers: Readonly<Record<string, number>>;
}

/** Our file; nothing when there is none. @throws PreconditionError when it is not ours, or cannot be read */
export async function readOverride(file: string): Promise<Override> {
  try {
    const text = await readFile(file, 'utf8');
    if (!text.startsWith(FIRST_LINE)) {
      throw new PreconditionError(
        `${file} was not written by this tool, and would be overwritten; name it in "driver.files" if it belongs to the project, or another one in "driver.overrideFile"`,
        { file },
      );
    }
    const { services, [OWN_KEY]: own } = Content.parse(parse(text));
    const images = Object.entries(services).map(([name, { image }]) => [name, image] as const);
    return { images: Object.fromEntries(images), containers: own?.containers ?? {} };
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return { images: {}, containers: {} };
    if (cause instanceof PreconditionError) throw cause;
    throw new PreconditionError(`${file} cannot be read: ${messageOf(cause)}`, { file }, { cause });
  }
}

/** Our file as text. */
export function overrideText({ images, containers }: Override): string {
  const services = Object.fromEntries(Object.entries(images).map(([name, image]) => [name, { image }]));
  const own = Object.keys(containers).length === 0 ? {} : { [OWN_KEY]: { containers } };
  return [FIRST_LINE, ...MORE_LINES, stringify({ services, ...own })].join('\n');
}

/** The line of a shell that writes it. */
export function overrideLine(file: string, override: Override): string {
  const lines = overrideText(override).trimEnd().split('\n');
  return `${shellLine(['printf', '%s\\n', ...lines])} > ${shellLine([file])}`;
}

/** Writes it as a whole, unless it says just that. @throws PreconditionError when this worker may not */
export async function writeOverride(file: string, override: Override): Promise<void> {
  const text = overrideText(override);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === text) return;
  try {
    await journaled(overrideLine(file, override), () => writeWhole(file, text, READABLE));
  } catch (cause) {
    throw new PreconditionError(
      `${file} cannot be written by this worker (${codeOf(cause) ?? messageOf(cause)}); let it write that folder, or name another file in "driver.overrideFile"`,
      { file },
      { cause },
    );
  }
}
