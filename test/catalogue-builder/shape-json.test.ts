import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { writeShapeFile } from '../../src/catalogue-builder/shape-json.js';
import { parseShapeFile } from '../../src/core/schema/shape-file.js';

test.each(['temporal', 'visibility'])('writes the shapes of %s as they are in the project', async (part) => {
  const url = new URL(`../../catalogue/shapes/postgresql-v12-${part}.json`, import.meta.url);
  const text = await readFile(url, 'utf8');
  expect(writeShapeFile(parseShapeFile(JSON.parse(text)))).toBe(text);
});

test('writes one line a column, key or index', () => {
  const file = parseShapeFile({
    store: 's',
    scriptsOf: '1.0.0',
    reportedBy: 'r',
    shapes: {
      '1.0': {
        t: {
          columns: { type: { type: 'text', notNull: true }, gone: null },
          primaryKey: ['a', 'b'],
          indexes: { i: { on: 'x' } },
        },
      },
    },
  });
  expect(writeShapeFile(file)).toContain(
    [
      '        "columns": {',
      '          "type": { "type": "text", "notNull": true },',
      '          "gone": null',
      '        },',
      '        "primaryKey": ["a", "b"],',
      '        "indexes": {',
      '          "i": { "on": "x" }',
      '        }',
      '',
    ].join('\n'),
  );
});
