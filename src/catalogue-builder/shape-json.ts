import type { ShapeFile } from '../core/schema/shape-file.js';

/** The file of shapes as text: one line a column, a key or an index, so that a change can be read line by line. */
export function writeShapeFile(file: ShapeFile): string {
  return `${write(file, '')}\n`;
}

function write(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLeaf(value)) return oneLine(value);
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(([name, part]) => `${inner}${JSON.stringify(name)}: ${write(part, inner)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

/** A column has a type, an index says what it is on: strings both, while a column or table of such a name is an object. */
function isLeaf(value: object): boolean {
  return ('type' in value && typeof value.type === 'string') || ('on' in value && typeof value.on === 'string');
}

function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((part) => JSON.stringify(part)).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, part]) => `${JSON.stringify(name)}: ${JSON.stringify(part)}`)
    .join(', ')} }`;
}
