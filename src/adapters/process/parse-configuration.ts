import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';

/** A file of the server's configuration, parsed. Its values stay in this process: passwords are among them. */
export interface ConfigurationFile {
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly settings: readonly Setting[];
}

export interface Setting {
  readonly path: readonly string[];
  readonly line: number;
  readonly depth: number;
  /** Whether it has settings below it. */
  readonly isGroup: boolean;
}

/** The file is there, and cannot be taken for what the server reads. Its message has no content of it. */
export class NotReadableError extends Error {
  override readonly name = 'NotReadableError';
}

/** @throws NotReadableError when it is a template or no YAML: what the server makes of it is then not known */
export function parseConfiguration(file: string, text: string): ConfigurationFile {
  if (text.includes('{{')) {
    throw new NotReadableError(`${file} is a template; what it becomes depends on the environment of the server`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  // Not its message: a parser quotes the lines around the mistake, with the password that may stand there.
  if (error !== undefined)
    throw new NotReadableError(`${file} is no valid YAML (line ${lines.linePos(error.pos[0]).line})`);
  const { contents } = document;
  if (contents === null) return { file, value: {}, settings: [] };
  if (!isMap(contents)) throw new NotReadableError(`${file} holds no settings at its top`);
  const value: unknown = document.toJS();
  return { file, value: isRecord(value) ? value : {}, settings: settingsOf(contents, [], lines) };
}

function settingsOf(map: YAMLMap, above: readonly string[], lines: LineCounter): Setting[] {
  return map.items.flatMap(({ key, value }): Setting[] => {
    if (!isScalar(key)) return [];
    const path = [...above, String(key.value)];
    const line = lines.linePos(key.range?.[0] ?? 0).line;
    const own = { path, line, depth: path.length, isGroup: isMap(value) };
    return [own, ...(isMap(value) ? settingsOf(value, path, lines) : [])];
  });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
