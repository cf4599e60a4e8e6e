import { expect, test } from '@jest/globals';
import { replacementsJson, replacementsText } from '../../src/report/replacements.js';

const REPLACEMENTS = [
  {
    from: '1.29.1',
    to: '1.30.7',
    nodes: [
      { node: 'matching-1', role: 'matching', commands: ['own stop matching-1', `own start matching-1 '1 30'`] },
      { node: 'worker-1', role: 'worker', commands: [], problem: 'db1 cannot be reached by ssh:\nno route' },
    ],
  },
];

test('commands stand one a line, to be copied; what cannot be said says why', () => {
  expect(replacementsText(REPLACEMENTS).split('\n')).toEqual([
    '1. 1.29.1 → 1.30.7: what replaces the servers, in this order',
    '  matching-1 (matching)',
    '    $ own stop matching-1',
    `    $ own start matching-1 '1 30'`,
    '  worker-1 (worker)',
    '    ! cannot be said: db1 cannot be reached by ssh:',
    '      no route',
  ]);
});

test('as data it is what it is', () => {
  expect(replacementsJson(REPLACEMENTS)).toEqual(REPLACEMENTS);
});
