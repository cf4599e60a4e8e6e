import { open, stat } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf } from '../../core/errors.js';
import type { ServerNode } from '../../core/input/input.js';

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
  return cutLog(await readEnd(file, from), secrets);
}

/** The last lines of a log, cut to what can be read, with each of `secrets` blackened. */
export function cutLog(text: string, secrets: readonly string[] = []): string {
  // Before anything is cut: half a secret would not be recognised.
  const harmless = secrets.filter((secret) => secret !== '').reduce((left, one) => left.replaceAll(one, '***'), text);
  const lines = harmless.trimEnd().split('\n');
  return lines
    .filter((line) => !STARTUP_STEP.test(line))
    .slice(-LINES)
    .map(readable)
    .join('\n');
}

/** Where a node's log now ends; 0 when there is none that this worker can read. */
export async function sizeOf(file: string | undefined): Promise<number> {
  if (file === undefined) return 0;
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** What a node's log says from its byte `from` on, in words, or why that is not known. */
export async function readNodeLog({ logFile }: ServerNode, from: number): Promise<string> {
  if (logFile === undefined) return 'see its log (the input names no "logFile" that this worker could read)';
  try {
    const tail = await readLogTail(logFile, from);
    return tail === '' ? `it wrote nothing to ${logFile}` : `the end of ${logFile}:\n${tail}`;
  } catch (error) {
    return `its log cannot be read by this worker: ${messageOf(error)}`;
  }
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
