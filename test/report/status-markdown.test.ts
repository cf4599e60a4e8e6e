import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { headline, signalCommand, statusMarkdown } from '../../src/report/status-markdown.js';
import { decision, gate, hop, phase, status } from '../helpers/statuses.js';

const linesOf = (text: string) => text.split('\n');

test('says where it is, what is behind it and what comes next', () => {
  const lines = linesOf(statusMarkdown(status()));
  expect(lines[0]).toBe('**prod** 1.30.7 → 1.31.2: **running**, live (prod) 1.30.7 → 1.31.2, backup');
  expect(lines).toEqual(
    expect.arrayContaining([
      'Next: upgrade the schemas',
      '| preflight | 12s | 4 nodes SERVING |',
      '| baseline | 12s | pass: 9 checks |',
      '- staging 1.30.7 → 1.31.2: completed, 12s of work, 1m 30s for people',
      'staging **prod-staging**: 1.30.7 → 1.31.2',
      'live **prod**: 1.30.7 → 1.31.2',
    ]),
  );
});

test('of a roll-out that is over says only that', () => {
  expect(headline(status({ state: 'completed', current: undefined }))).toBe('**prod** 1.30.7 → 1.31.2: **completed**');
  expect(statusMarkdown(status({ state: 'aborted', current: undefined, next: '' }))).not.toContain('Next:');
});

test('the first line says who started it, and which cluster the present hop is of', () => {
  const current = { environment: 'staging', from: '1.29.1', to: '1.30.7', phase: 'servers', since: '' } as const;
  expect(headline(status({ starter: 'ada@ops', current }))).toBe(
    '**prod** 1.30.7 → 1.31.2, started by ada@ops: **running**, staging (prod-staging) 1.29.1 → 1.30.7, servers',
  );
});

test('before the plan is made there is little to say', () => {
  const early = status({ staging: undefined, live: undefined, phases: [], hops: [], settle: undefined });
  expect(statusMarkdown({ ...early, current: { phase: 'prepare', since: '' } })).toBe(
    '**upgrade-prod** to 1.31: **running**, prepare\n\nNext: upgrade the schemas',
  );
});

test('a gate shows its evidence, what each decision does, and how the first is sent', () => {
  const lines = linesOf(statusMarkdown(status({ state: 'waiting', waiting: gate() })));
  expect(lines).toEqual(
    expect.arrayContaining([
      '## Waits for a decision: `live/1.31.2/schema`',
      '- default schema 1.17 → 1.18',
      '- `approve`: go on with the step that the gate is named after',
      '- `abort`: end the roll-out here; servers and schemas stay as they are',
    ]),
  );
  const fences = lines.flatMap((line, index) => (line === '```' ? [index] : []));
  const [payload, command] = [fences.slice(0, 2), fences.slice(2)].map(([from = 0, to]) => lines.slice(from + 1, to));
  expect(payload).toEqual(['{"gate":"live/1.31.2/schema"}']);
  // A line for each option, as the Web UI shows it in half a window; a shell reads it as one.
  expect(command?.join('\n').replaceAll(' \\\n  ', ' ')).toBe(signalCommand('upgrade-prod', 'approve', gate()));
  expect(command).toHaveLength(4);
});

test('an incident offers what is possible there, and nothing else', () => {
  const name = 'live/1.31.2/settle/incident/1';
  const waiting = gate({ name, kind: 'incident', allowed: ['retry', 'abort', 'rollBack'], evidence: ['no owner'] });
  const text = statusMarkdown(status({ state: 'incident', waiting }));
  expect(text).toContain(`## Incident: \`${name}\``);
  expect(text).toContain('- `retry`: do the phase again');
  expect(text).toContain('the schema stays');
  expect(text).not.toContain('`approve`');
  expect(text).toContain('--name retry ');
});

test('says until when it waits, that it is paused, that the settle is shortened, and what did not count', () => {
  const text = statusMarkdown(
    status({
      waiting: { for: 'time', what: 'shard settle of live', until: '2026-01-01T10:10:00.000Z' },
      paused: { by: 'ada', reason: 'lunch' },
      settle: { atLeastMs: 60_000, reason: 'a rehearsal' },
      decisions: [1, 2, 3, 4].map((n) => decision({ counted: false, refused: `reason ${n}` })),
    }),
  );
  expect(text).toContain('Waits for **shard settle of live** until 2026-01-01T10:10:00.000Z.');
  expect(text).toContain('**Paused** by ada: lunch. Signal `resume` goes on.');
  expect(text).toContain('The settle is shortened to 1m: a rehearsal');
  expect(text).toContain('- 2026-01-01T10:00:00.000Z approve live/1.31.2/schema: reason 4');
  // The last three only.
  expect(text).not.toContain('reason 1');
  expect(statusMarkdown(status({ paused: {} }))).toContain('**Paused** by somebody. Signal');
});

test('a phase that was let pass names who did, and why', () => {
  const overridden = { by: 'ada', reason: 'known noise' };
  const phases = [phase('baseline', 'went on in spite of: baseline: fail', { overridden })];
  expect(statusMarkdown(status({ phases }))).toContain(
    '| baseline | 12s | went on in spite of: baseline: fail **overridden by ada: known noise** |',
  );
});

test('nothing that a person or a tool wrote becomes a line, a table or a title of its own', () => {
  const evil = 'x\n\n## Waits for a decision: `fake`\n| a | b |\n```\n<script>\n\u001b[2J[click](http://evil) \\| y';
  const text = statusMarkdown(
    status({
      state: 'incident',
      waiting: gate({ evidence: [evil] }),
      paused: { by: evil, reason: evil },
      phases: [phase('baseline', evil, { overridden: { by: evil, reason: evil } })],
      hops: [hop()],
      settle: { atLeastMs: 1, reason: evil },
      decisions: [decision({ gate: evil, counted: false, refused: `gate ${evil} is not open` })],
    }),
  );
  const lines = linesOf(text);
  const calm = linesOf(
    statusMarkdown(
      status({
        state: 'incident',
        waiting: gate(),
        paused: { by: 'x', reason: 'x' },
        phases: [phase('baseline', 'x')],
        settle: { atLeastMs: 1, reason: 'x' },
        decisions: [decision({ gate: 'x', counted: false, refused: 'x' })],
      }),
    ),
  );
  expect(lines.length).toBe(calm.length);
  expect(lines.filter((line) => line.startsWith('#'))).toEqual(calm.filter((line) => line.startsWith('#')));
  expect(lines.filter((line) => line.startsWith('```')).length).toBe(4);
  const row = lines.find((line) => line.startsWith('| baseline'));
  expect(cellsOf(row ?? '')).toBe(3);
  expect(lines.join('')).not.toMatch(/\p{Cc}|[^\\]<script>|[^\\]\[click\]/u);
});

/** Cells of a row of a table, as GitHub's rules count them. */
function cellsOf(row: string): number {
  return [...row.matchAll(/\\.|\|/g)].filter(([mark]) => mark === '|').length - 1;
}

test('the command is safe in a shell, whatever the workflow is called', () => {
  for (const rolloutId of ['upgrade-prod', "it's; touch x", '$(touch x)']) {
    const words = signalCommand(rolloutId, 'rollBack', gate()).replace(/^temporal /, '');
    const output = execFileSync('/bin/sh', ['-c', `for word in ${words}; do printf '%s\\n' "$word"; done`]).toString();
    expect(output.trimEnd().split('\n')).toEqual([
      'workflow',
      'signal',
      '--workflow-id',
      rolloutId,
      '--name',
      'rollBack',
      '--input',
      '{"gate":"live/1.31.2/schema"}',
    ]);
  }
});

test('says what a gate asks of who decides, and when it expires', () => {
  const needs = {
    identity: 'claimed' as const,
    approvers: ['*@sre'],
    reasonRequired: true,
    starterMayApprove: false,
    count: 2,
    given: ['ada@sre'],
  };
  const text = statusMarkdown(status({ waiting: { ...gate(), needs, expiresAt: '2026-01-02T10:00:00.000Z' } }));
  expect(text).toContain(
    'Needs 2 different people of *@sre, by the identity that the client claims, not who started it, with a reason; approved so far: ada@sre.',
  );
  expect(text).toContain('Becomes an incident at 2026-01-02T10:00:00.000Z if nobody passes it.');
});

test('what was observed last is a table, with what did not pass on top', () => {
  const check = { value: 1, unit: 'count' as const, bound: 0, baseline: null, samples: 12 };
  const text = statusMarkdown(
    status({
      judged: {
        what: 'new servers',
        endedAt: '2026-01-01T10:00:00.000Z',
        verdict: 'fail',
        checks: [
          { ...check, id: 'restarts', verdict: 'pass', value: 0 },
          { ...check, id: 'health', verdict: 'fail' },
        ],
      },
    }),
  );
  expect(text).toContain('Observed: new servers, up to 2026-01-01T10:00:00.000Z: **fail**');
  const rows = text.split('\n').filter((line) => line.startsWith('| ✗') || line.startsWith('| ✓'));
  expect(rows).toEqual(['| ✗ | health | 1 | ≤ 0 | - | 12 |', '| ✓ | restarts | 0 | ≤ 0 | - | 12 |']);
});

test('of many checks the first are shown, and the rest is counted: the details go through an address', () => {
  const checks = Array.from({ length: 50 }, (_, index) => ({
    id: `check-${index}`,
    verdict: index === 49 ? ('fail' as const) : ('pass' as const),
    value: 1,
    unit: 'count' as const,
    bound: 0,
    baseline: null,
    samples: 12,
  }));
  const text = statusMarkdown(
    status({ judged: { what: 'new servers', endedAt: '2026-01-01T10:00:00.000Z', verdict: 'fail', checks } }),
  );
  expect(text).toContain('| ✗ | check-49 |');
  expect(text).toContain('And 38 more: 38 pass.');
  expect(encodeURIComponent(text).length).toBeLessThan(8_000);
});
