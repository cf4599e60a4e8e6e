import { describe, expect, test } from '@jest/globals';
import {
  lostSearchAttributes as lostSince,
  searchAttributesText,
  type AttributeFacts,
  type SearchAttributes,
} from '../../../src/core/running-work/search-attributes.js';

const HOUR = 3_600_000;
const lostSearchAttributes = (before: SearchAttributes, after: SearchAttributes) => lostSince(before, after, HOUR / 2);

const SCORE: AttributeFacts = { type: 'Int', having: 7 };
const of = (closed: number | undefined, attributes: Record<string, AttributeFacts>): SearchAttributes => ({
  shop: { closed: { atFirst: closed, atLast: closed }, attributes },
});
const BEFORE = of(10, { Score: SCORE });

test('the same, and more of it, is no loss', () => {
  expect(lostSearchAttributes(BEFORE, BEFORE)).toEqual([]);
  expect(lostSearchAttributes({}, BEFORE)).toEqual([]);
  expect(lostSearchAttributes(BEFORE, of(10, { Score: SCORE, Added: { type: 'Bool', having: 0 } }))).toEqual([]);
});

test('what the retention deleted may have had it, but no more than were deleted', () => {
  expect(lostSearchAttributes(BEFORE, of(8, { Score: { type: 'Int', having: 5 } }))).toEqual([]);
  expect(lostSearchAttributes(BEFORE, of(8, { Score: { type: 'Int', having: 4 } }))).toEqual([
    'search attribute Score of namespace shop: 7 closed workflows were found by it, 4 are now, and 2 were deleted since',
  ]);
});

test('a workflow that is deleted while the questions are asked is no loss', () => {
  const before = { shop: { closed: { atFirst: 10, atLast: 9 }, attributes: { Score: SCORE } } };
  expect(lostSearchAttributes(before, of(9, { Score: { type: 'Int', having: 6 } }))).toEqual([]);
  const after = { shop: { closed: { atFirst: 10, atLast: 9 }, attributes: { Score: { type: 'Int', having: 6 } } } };
  expect(lostSearchAttributes(BEFORE, after)).toEqual([]);
});

test('the retention removes those alone whose time has come', () => {
  const expiring = [
    { withinMs: HOUR, count: 1 },
    { withinMs: 6 * HOUR, count: 4 },
  ];
  const before: SearchAttributes = {
    shop: { closed: { atFirst: 10, atLast: 10 }, expiring, attributes: { Score: SCORE } },
  };
  // As a search server does that loses documents: those that have the attribute, and the others.
  const after = of(6, { Score: { type: 'Int', having: 4 } });
  expect(lostSince(before, after, HOUR / 2)).toEqual([
    'search attribute Score of namespace shop: 7 closed workflows were found by it, 4 are now, and of 4 that visibility shows no more ' +
      'the retention removed 1 at most; did somebody delete workflows?',
  ]);
  expect(lostSince(before, after, 5 * HOUR)).toEqual([]);
  expect(lostSince(before, after, 100 * HOUR)).toEqual([]);
});

describe('a loss is named', () => {
  test.each<[string, SearchAttributes, string]>([
    ['it is gone', of(10, {}), 'search attribute Score of namespace shop (Int) is gone'],
    ['its namespace is gone, or has none any more', {}, 'search attribute Score of namespace shop (Int) is gone'],
    [
      'another type',
      of(10, { Score: { type: 'Text', having: 7 } }),
      'search attribute Score of namespace shop was Int and is Text',
    ],
    [
      'a question that fails',
      of(10, { Score: { type: 'Int', problem: 'no such column' } }),
      'search attribute Score of namespace shop: workflows are not found by it any more: no such column',
    ],
  ])('%s', (_, after, text) => {
    expect(lostSearchAttributes(BEFORE, after)).toEqual([text]);
  });
});

test('what could not be asked before is held against nothing', () => {
  const before = of(undefined, { Score: { type: 'Int', problem: 'not supported' } });
  expect(lostSearchAttributes(before, of(undefined, { Score: { type: 'Int', problem: 'not supported' } }))).toEqual([]);
  expect(lostSearchAttributes(of(undefined, { Score: { type: 'Int' } }), BEFORE)).toEqual([]);
});

test('their number, for people', () => {
  expect(searchAttributesText({})).toBe('0 search attributes in 0 namespaces');
  expect(searchAttributesText(BEFORE)).toBe('1 search attribute in 1 namespace');
});
