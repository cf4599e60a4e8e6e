import { messageOf } from '../../core/errors.js';
import { cutLog } from '../process/log-tail.js';
import type { Container } from './container.js';
import type { Context } from './context.js';

const LINES = 200;

/** The end of what a container wrote, in words, or why that is not known. Never throws. */
export async function logOf({ programs }: Pick<Context, 'programs'>, { id, name }: Container): Promise<string> {
  try {
    const { stdout, stderr } = await programs.engine(['logs', '--tail', String(LINES), id]);
    const tail = cutLog([stdout, stderr].filter((text) => text !== '').join('\n'));
    return tail === '' ? `container ${name} wrote nothing` : `the end of what container ${name} wrote:\n${tail}`;
  } catch (error) {
    return `what container ${name} wrote cannot be read: ${messageOf(error)}`;
  }
}
