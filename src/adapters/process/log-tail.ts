import { open } from 'node:fs/promises';
import { z } from 'zod';

const READ_BYTES = 256 * 1024;
const LINES = 15;
const LINE_START = 300;
const LINE_END = 500;

/** Each step that the server's dependency injection takes: hundreds of lines, after which the cause stands far above. */
const STARTUP_STEP = /^\[Fx\] (?!error)/i;

/** The parts of a Temporal server's log line that an operator wants; a stack trace alone has thousands of characters. */
const LogLine = z.object({ level: z.string(), msg: z.string(), error: z.string().optional() });

/**
 * The last lines that were written to `file` after its byte `from`, cut to what can be read, with each of `secrets`
 * blackened. Empty when nothing was written.
 */
export async function readLogTail(file: string, from: number, secrets: readonly string[] = []): Promise<string> {
  const text = await readEnd(file, from);
  // Before anything is cut: half a secret would not be recognised.
  const harmless = secrets.filter((secret) => secret !== '').reduce((left, one) => left.replaceAll(one, '***'), text);
  const lines = harmless.trimEnd().split('\n');
  return lines
    .filter((line) => !STARTUP_STEP.test(line))
    .slice(-LINES)
    .map(readable)
    .join('\n');
}

function readable(line: string): string {
  const plain = plainText(line);
  if (plain.length <= LINE_START + LINE_END) return plain;
  // An error of the server's start begins with what failed and ends with why; in between it lists its own functions.
  return `${plain.slice(0, LINE_START)} … ${plain.slice(-LINE_END)}`;
}

function plainText(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg, error } = LogLine.parse(JSON.parse(line));
    return `${level}: ${msg}${error === undefined ? '' : `: ${error}`}`;
  } catch {
    return line; // not the format of a Temporal server
  }
}

async function readEnd(file: string, from: number): Promise<string> {
  const log = await open(file, 'r');
  try {
    const { size } = await log.stat();
    const start = Math.max(from, size - READ_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const { bytesRead } = await log.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await log.close();
  }
}
