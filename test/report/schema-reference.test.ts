import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { format } from 'prettier';
import { rolloutJsonSchema } from '../../src/core/input/input-json-schema.js';
import { schemaReference, type JsonSchema } from '../../src/report/schema-reference.js';

const COMMITTED = new URL('../../docs/reference.md', import.meta.url);
const lines = (schema: JsonSchema) => schemaReference({ title: 'Input', ...schema }).split('\n');
const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
});

test('the committed reference is that of the code; else write it anew: bin/temporal-upgrade schema --markdown > docs/reference.md', async () => {
  const generated = await format(schemaReference(rolloutJsonSchema()), { parser: 'markdown' });
  expect(await readFile(COMMITTED, 'utf8')).toBe(generated);
});

test('every field says what it is for', () => {
  const rows = schemaReference(rolloutJsonSchema())
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(150);
  expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([]);
});

test('a field has what it takes, what holds when it is left out, and what it is for', () => {
  const shown = lines(
    object(
      {
        to: { type: 'string', description: 'Where to.' },
        batch: { type: 'integer', minimum: 1, maximum: 100, default: 1, description: 'At a time.' },
        share: { type: 'number', exclusiveMinimum: 0, description: 'Of | all.' },
        style: { enum: ['careful', 'strict'], description: 'How.' },
        wait: {
          anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
          default: 600_000,
          description: 'How long.',
        },
        password: { anyOf: [object({ env: {} }), object({ file: {} })], description: 'Secret.' },
        pins: { type: 'object', additionalProperties: { type: 'string' }, description: 'Each.' },
      },
      { required: ['to'] },
    ),
  );
  expect(shown).toEqual(
    expect.arrayContaining([
      '| `to` | text | needed | Where to. |',
      '| `batch` | whole number from 1 to 100 | `1` | At a time. |',
      '| `share` | number above 0 |  | Of \\| all. |',
      '| `style` | `careful`, `strict` |  | How. |',
      '| `wait` | span of time | 10m | How long. |',
      '| `password` | secret: `{ env: NAME }` or `{ file: PATH }` |  | Secret. |',
      '| `pins` | map of name to text |  | Each. |',
    ]),
  );
});

test('an object has a section of its own, and one that occurs again leads there', () => {
  const tls = object({ caFile: { type: 'string', description: 'File.' } }, { description: 'To the frontend.' });
  const shown = lines(object({ tls, internodeTls: { ...tls, description: 'Between roles.' } }));
  expect(shown).toContain('| `tls` | [`tls`](#tls) |  | To the frontend. |');
  expect(shown).toContain('| `internodeTls` | as [`tls`](#tls) |  | Between roles. |');
  expect(shown.filter((line) => line.startsWith('## '))).toEqual(['## `tls`']);
});

test('kinds of an object are told apart by the field that names them', () => {
  const kind = (type: string) => object({ type: { const: type, description: 'Kind.' } });
  const shown = lines(object({ driver: { oneOf: [kind('process'), kind('systemd')], description: 'How.' } }));
  expect(shown.filter((line) => line.startsWith('## '))).toEqual([
    '## `driver (type: process)`',
    '## `driver (type: systemd)`',
  ]);
});
