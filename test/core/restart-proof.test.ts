import { expect, test } from '@jest/globals';
import { lacksOf, membershipOf, type RestartLook } from '../../src/core/restart-proof.js';
import { NOTHING_MISSING, restartLook } from '../helpers/restart-looks.js';

const WANTED = { version: '1.31.2', replaced: '10:1' };
const cases: readonly [what: string, look: RestartLook, ofNode: readonly string[], ofCluster: readonly string[]][] = [
  ['all there', restartLook(), [], []],
  ['no process', restartLook({ node: { running: false } }), ['no process runs'], []],
  ['the process from before', restartLook({ node: { instance: '10:1' } }), ['it is still the process from before'], []],
  ['another binary', restartLook({ node: { version: '1.30.7' } }), ['its binary says 1.30.7'], []],
  [
    'another version by its own word',
    restartLook({ named: [{ by: 'GetSystemInfo', version: '1.30.7' }] }),
    ['GetSystemInfo says 1.30.7'],
    [],
  ],
  ['not serving', restartLook({ health: 'NOT_SERVING' }), ['its health service says NOT_SERVING'], []],
  ['no health service', restartLook({ health: undefined }), [], []],
  [
    'one frontend that does not see it',
    restartLook({ views: { b: { history: ['h:2'] } } }),
    ['frontend f:2 does not see it in the ring of history'],
    [],
  ],
  [
    'it in the ring of another role too',
    restartLook({ views: { a: { matching: ['m:1', 'h:1'] } } }),
    ['frontend f:1 sees it in the ring of matching, and it is a history'],
    [],
  ],
  [
    'a member that does not run',
    restartLook({ views: { b: { matching: ['m:1', 'm:9'] } } }),
    [],
    ['frontend f:2 sees m:9 in the ring of matching, where no such process runs'],
  ],
  [
    'another process that a frontend does not see',
    restartLook({ views: { b: { history: ['h:1'] } } }),
    [],
    ['frontend f:2 does not see history-2 in the ring of history'],
  ],
  ['a frontend that does not answer', restartLook({ unseen: 'b' }), [], ['frontend f:2 did not name its rings: gone']],
  [
    'a frontend that is replaced and does not answer itself',
    restartLook({ name: 'frontend-2', unseen: 'b' }),
    ['it does not answer as a frontend'],
    [],
  ],
  [
    'no frontend to be asked',
    { ...restartLook(), views: [] },
    [],
    ['no frontend runs that could be asked for the rings'],
  ],
];

test.each(cases)('%s', (_, look, ofNode, ofCluster) => {
  expect(lacksOf(look, WANTED)).toEqual({ ofNode, ofCluster });
});

test('a process that another batch restarts right now is waited for, and is no lack of this one', () => {
  const look = restartLook({ other: { running: false } });
  expect(lacksOf(look, WANTED)).toEqual({
    ofNode: [],
    ofCluster: ['f:1', 'f:2'].map(
      (one) => `frontend ${one} sees h:2 in the ring of history, where no such process runs`,
    ),
  });
});

test('a process that was not restarted is not asked to be another run', () => {
  expect(lacksOf(restartLook({ node: { instance: '10:1' } }), { version: '1.31.2' })).toEqual(NOTHING_MISSING);
});

test('membership differs when a member goes or a process is another run, not by the order of roles', () => {
  const { views } = restartLook();
  const turned = views.map(({ frontend, rings = {} }) => ({
    frontend,
    rings: Object.fromEntries(Object.entries(rings).toReversed()),
  }));
  const same = membershipOf(restartLook());
  expect(membershipOf({ ...restartLook(), views: turned })).toBe(same);
  expect(membershipOf(restartLook({ views: { a: { matching: [] } } }))).not.toBe(same);
  expect(membershipOf(restartLook({ other: { instance: '99:9' } }))).not.toBe(same);
});
