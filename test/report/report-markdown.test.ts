import { expect, test } from '@jest/globals';
import { reportMarkdown } from '../../src/report/report-markdown.js';
import { decision, hop, phase, result } from '../helpers/statuses.js';

const linesOf = (more: Parameters<typeof result>[0] = {}) => reportMarkdown(result(more)).split('\n');

test('says what ran before and what runs now, how long it took, and what became of the canaries', () => {
  expect(linesOf()).toEqual(
    expect.arrayContaining([
      '# Roll-out upgrade-prod: completed',
      'From 2026-01-01T10:00:00.000Z to 2026-01-01T12:00:00.000Z, 2h.',
      '| staging prod-staging | 1.30.7 | 1.31.2 | 1.31.2 |',
      '| live prod | 1.30.7 | 1.31.2 | 1.31.2 |',
      '| policy.settle.atLeast | 1m | 10m | a rehearsal |',
      'Settle: at least 10m.',
      '| staging | 40 | 40 | 0 | 0 | 0 | 0 | 0 | 0 |',
      '## live prod: 1.30.7 → 1.31.2, completed',
      '| preflight | 12s | 4 nodes SERVING |',
      '2 incidents; 1m 30s waiting for people.',
      '- backup of default: `/backups/default.dump`, 100 bytes, sha256 f00d, encrypted; also in bucket/prefix',
      '- promote: live approved by ada',
      '| 2026-01-01T10:00:00.000Z | approve | live/1.31.2/schema | ada | said | quiet hour | yes |',
      '- warn: an index is built; expected none. Wait for it (https://example.com/guide)',
    ]),
  );
});

test('an aborted roll-out says why, and both versions where it stopped half-way', () => {
  const live = { name: 'prod', from: '1.30.7', to: '1.30.7 and 1.31.2' };
  const lines = linesOf({ status: 'aborted', reason: 'enough for today', live });
  expect(lines).toContain('# Roll-out upgrade-prod: aborted');
  expect(lines).toContain('Reason: enough for today');
  expect(lines).toContain('| live prod | 1.30.7 |  | 1.30.7 and 1.31.2 |');
});

test('a shortened settle, an override and a decision that did not count are told with their reasons', () => {
  const overridden = { by: 'ada', reason: 'known noise' };
  const lines = linesOf({
    settle: { atLeastMs: 60_000, reason: 'a rehearsal' },
    hops: [hop({ phases: [phase('baseline', 'went on in spite of: fail', { overridden })] })],
    decisions: [decision({ counted: false, refused: 'it is not paused', gate: undefined, by: undefined })],
  });
  expect(lines).toContain('Settle: at least 1m, shortened: a rehearsal.');
  expect(lines).toContain('| baseline | 12s | went on in spite of: fail **overridden by ada: known noise** |');
  expect(lines).toContain(
    '| 2026-01-01T10:00:00.000Z | approve |  | somebody | unknown | quiet hour | no: it is not paused |',
  );
});

test('who decided is told with how sure that is, and with other names that were given', () => {
  const identity = { claimed: 'ada@laptop', proved: 'ada' };
  const decisions = [
    decision({ by: 'eve', identity, who: { name: 'ada', grade: 'proved' } }),
    decision({ by: 'policy.onFail', via: 'policy' }),
  ];
  const lines = linesOf({ decisions }).join('\n');
  expect(lines).toContain('| ada | proved; said: eve; claimed: ada@laptop | quiet hour | yes |');
  expect(lines).toContain('| policy.onFail | policy | quiet hour | yes |');
});

test('incidents are told with what was wrong, and what was decided', () => {
  const incident = { name: 'live/1.31.2/settle/incident/1', openedAt: '2026-01-01T10:00:00.000Z', problem: 'no owner' };
  const ended = { endedAt: '2026-01-01T10:05:00.000Z', decision: 'retry' as const, by: 'ada' };
  const lines = linesOf({
    incidents: [
      { ...incident, ...ended },
      { ...incident, name: 'live/1.31.2/verify/incident/2' },
    ],
  });
  expect(lines).toContain(
    '| 2026-01-01T10:00:00.000Z | live/1.31.2/settle/incident/1 | no owner | retry by ada, 2026-01-01T10:05:00.000Z |',
  );
  expect(lines).toContain('| 2026-01-01T10:00:00.000Z | live/1.31.2/verify/incident/2 | no owner | open |');
});

test('a roll-out by the default rules says so', () => {
  expect(linesOf({ policy: [] })).toContain('Every rule was the default one.');
});

test('what there was none of has no section', () => {
  const text = reportMarkdown(
    result({ ledgers: {}, steps: [], decisions: [], findings: [], hops: [], policy: undefined }),
  );
  expect(text).not.toContain('##');
});

test('nothing that a person or a tool wrote becomes a line, a cell or a title of its own', () => {
  const evil = 'x\n\n# Roll-out upgrade-prod: completed\n| a | b |\n```\n<script>\u001b[2J[click](http://evil) \\| y';
  const shape = (text: string) => {
    const overridden = { by: text, reason: text };
    return linesOf({
      reason: text,
      settle: { atLeastMs: 1, reason: text },
      hops: [hop({ phases: [phase('baseline', text, { overridden })] })],
      steps: [phase('promote', text)],
      decisions: [decision({ gate: text, by: text, reason: text, counted: false, refused: text })],
      findings: [
        { id: 'x', severity: 'warn', found: text, expected: text, action: text, source: 'https://example.com' },
      ],
    });
  };
  const lines = shape(evil);
  const kind = (line: string) => (line.startsWith('|') ? cellsOf(line) : line.slice(0, 2));
  expect(lines.map(kind)).toEqual(shape('x').map(kind));
  expect(lines.join('')).not.toMatch(/\p{Cc}|[^\\]<script>|[^\\]\[click\]/u);
});

/** Cells of a row of a table, as GitHub's rules count them. */
function cellsOf(row: string): number {
  return [...row.matchAll(/\\.|\|/g)].filter(([mark]) => mark === '|').length - 1;
}

test('of one that is under way there are the phases of its present hop', () => {
  const rollout = { ...result({ hops: [] }), status: 'waiting' as const, phases: [phase('backup', '3 backups')] };
  expect(reportMarkdown(rollout)).toMatch(/^# Roll-out upgrade-prod: waiting\n/);
  expect(reportMarkdown(rollout)).toContain(
    '## Under way\n\n| phase | took | result |\n| --- | --- | --- |\n| backup | 12s | 3 backups |',
  );
});
