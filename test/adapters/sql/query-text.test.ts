import { expect, test } from '@jest/globals';
import { withoutValues } from '../../../src/adapters/sql/query-text.js';

test.each([
  [`select * from t where id = 42 and name = 'secret'`, 'select * from t where id = ? and name = ?'],
  [`select 'it''s secret', 1.5e10, t1.c2`, 'select ?, ?, t1.c2'],
  [`insert into t values ($1, $2)`, 'insert into t values (?, ?)'],
  [`select $tag$secret$tag$, $$secret$$`, 'select ?, ?'],
  [`select /* secret */ 1 -- secret\nfrom t`, 'select ? from t'],
  [`select "it's", 'secret'`, `select "it's", ?`],
  [`update t set data = 'secret cut off he`, 'update t set data = ?'],
  [`select 'a\\', 'secret'`, 'select ?'],
  [`select E'it\\'s', 'secret'`, 'select E?'],
  [`  vacuum\n\tfull  t `, 'vacuum full t'],
])('%s', (query, shown) => {
  expect(withoutValues(query)).toBe(shown);
});

test('is cut', () => {
  const shown = withoutValues(`select ${'column_name, '.repeat(50)}'secret'`);
  expect(shown).toHaveLength(120);
  expect(shown.endsWith('…')).toBe(true);
});
