import { expect, test } from '@jest/globals';
import { loadShape } from '../../../src/adapters/catalogue-file.js';
import { needsBetween } from '../../../src/core/schema/schema-needs.js';
import type { SchemaShape } from '../../../src/core/schema/schema-shape.js';

async function needs(store: 'temporal' | 'visibility', from: string, to: string) {
  const [before, after] = await Promise.all([from, to].map((version) => loadShape(`postgresql/v12/${store}`, version)));
  if (before === undefined || after === undefined) throw new Error('not in the catalogue');
  return needsBetween(before, after);
}

test('scripts that add stored columns and indexes of several kinds', async () => {
  expect(await needs('visibility', '1.9', '1.13')).toEqual({
    changes: ['executions_visibility'],
    creates: [],
    rewrites: ['executions_visibility'],
    operatorClasses: [{ method: 'gin', type: 'character' }],
    functions: ['convert_ts'],
  });
});

test('scripts that add columns without a rewrite', async () => {
  expect(await needs('visibility', '1.3', '1.4')).toMatchObject({
    changes: ['executions_visibility'],
    rewrites: [],
    operatorClasses: [],
    functions: [],
  });
});

test('scripts that only make tables, and none at all', async () => {
  expect(await needs('temporal', '1.17', '1.18')).toEqual({
    changes: [],
    creates: ['task_queues_v2', 'tasks_v2'],
    rewrites: [],
    operatorClasses: [],
    functions: [],
  });
  expect(await needs('temporal', '1.18', '1.18')).toMatchObject({ changes: [], creates: [] });
});

test('a table that is dropped is changed', async () => {
  const { changes, creates } = await needs('temporal', '1.12', '1.14');
  expect(changes).toEqual(
    expect.arrayContaining(['nexus_incoming_services', 'nexus_incoming_services_partition_status']),
  );
  expect(creates).toEqual(expect.arrayContaining(['nexus_endpoints']));
});

test('types are no functions, and text in quotes is none either', () => {
  const table = (columns: SchemaShape[string]['columns']): SchemaShape => ({
    t: { columns, primaryKey: [], indexes: {} },
  });
  const generated = `lower((a ->> 'of(x)'::character varying(20)))::numeric(20,5)`;
  const { functions, rewrites } = needsBetween(
    table({ a: { type: 'jsonb' } }),
    table({ a: { type: 'jsonb' }, b: { type: 'numeric(20,5)', generated } }),
  );
  expect(functions).toEqual(['lower']);
  expect(rewrites).toEqual(['t']);
});

test('a column of another type is a rewrite', () => {
  const table = (type: string): SchemaShape => ({ t: { columns: { a: { type } }, primaryKey: [], indexes: {} } });
  expect(needsBetween(table('integer'), table('bigint')).rewrites).toEqual(['t']);
});
