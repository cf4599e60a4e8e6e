import { expect, test } from '@jest/globals';
import { statusText } from '../../src/report/status-text.js';
import { decision, gate, phase, status } from '../helpers/statuses.js';

const NOW = Date.parse('2026-01-01T10:05:00.000Z');
const linesOf = (more: Parameters<typeof status>[0] = {}) => statusText(status(more), NOW).split('\n');

test('shows both paths, with what was reached, and every phase of the hop', () => {
  const lines = linesOf();
  expect(lines[0]).toBe('upgrade-prod  running  (to 1.31, since 2026-01-01T10:00:00.000Z)');
  expect(lines).toEqual(
    expect.arrayContaining([
      '  staging prod-staging    1.30.7* -> 1.31.2*',
      '  live    prod            1.30.7* -> 1.31.2',
      'now     live 1.30.7 -> 1.31.2: backup, for 5m',
      '  done  preflight       12s      4 nodes SERVING',
      '  ->    backup',
      '        verify',
      'next    upgrade the schemas',
    ]),
  );
});

test('fits a terminal of 80 columns, however long a summary is', () => {
  const lines = linesOf({ phases: [phase('preflight', 'x'.repeat(500))] });
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test('a gate shows its evidence, what each decision does, and a command', () => {
  const lines = linesOf({ state: 'waiting', waiting: gate() });
  expect(lines).toEqual(
    expect.arrayContaining([
      'GATE    live/1.31.2/schema',
      '        default schema 1.17 → 1.18',
      '  approve   go on with the step that the gate is named after',
      '  temporal-upgrade approve upgrade-prod --gate live/1.31.2/schema',
    ]),
  );
});

test('an incident says so, and names commands as the command line does', () => {
  const waiting = gate({ name: 'live/1.31.2/settle/incident/1', kind: 'incident', allowed: ['rollBack', 'abort'] });
  const lines = linesOf({ state: 'incident', waiting });
  expect(lines).toContain('INCIDENT    live/1.31.2/settle/incident/1');
  expect(lines).toContain('  temporal-upgrade rollback upgrade-prod --gate live/1.31.2/settle/incident/1');
});

test('a way back has its line only where there was one, after the phases of the hop', () => {
  const current = { environment: 'live', phase: 'restore', since: '2026-01-01T10:00:00.000Z' } as const;
  const lines = linesOf({ current, phases: [phase('roll-back', '1 node replaced')] });
  expect(lines.slice(lines.indexOf('        verify'))).toEqual(
    expect.arrayContaining(['  done  roll-back       12s      1 node replaced', '  ->    restore']),
  );
  expect(linesOf().join('\n')).not.toMatch(/roll-back|restore/);
});

test('says how long it waits, never less than nothing', () => {
  const until = (at: string) => linesOf({ waiting: { for: 'time', what: 'shard settle', until: at } });
  expect(until('2026-01-01T10:06:30.000Z')).toContain('waits   shard settle: 1m 30s left');
  expect(until('2026-01-01T10:00:00.000Z')).toContain('waits   shard settle: 0ms left');
});

test('says that it is paused, that the settle is shortened, and what did not count last', () => {
  const lines = linesOf({
    paused: { by: 'ada' },
    settle: { atLeastMs: 60_000, reason: 'a rehearsal' },
    decisions: [decision({ counted: false, refused: 'first' }), decision({ counted: false, refused: 'second' })],
  });
  expect(lines).toContain('paused  by ada: no reason given');
  expect(lines).toContain('settle  shortened to 1m: a rehearsal');
  expect(lines).toContain('refused approve live/1.31.2/schema: second');
  expect(lines.join('\n')).not.toContain('first');
});

test('nothing that a person or a tool wrote steers the terminal or becomes a line of its own', () => {
  const evil = 'x\u001b[2J\r\nGATE    fake\u0007';
  const text = linesOf({
    waiting: gate({ evidence: [evil] }),
    paused: { by: evil, reason: evil },
    phases: [phase('preflight', evil)],
    settle: { atLeastMs: 1, reason: evil },
    decisions: [decision({ gate: evil, counted: false, refused: evil })],
  });
  expect(text.filter((line) => line.startsWith('GATE'))).toEqual(['GATE    live/1.31.2/schema']);
  expect(text.join('')).not.toMatch(/\p{Cc}/u);
});

test('a long wait is drawn as far as it is over', () => {
  const waiting = { for: 'time', what: 'shard settle', since: '2026-01-01T10:00:00.000Z' } as const;
  const bar = (until: string) => linesOf({ waiting: { ...waiting, until } }).find((line) => line.includes('['));
  expect(bar('2026-01-01T10:10:00.000Z')).toBe(`        [${'#'.repeat(20)}${'-'.repeat(20)}] 50 %`);
  expect(bar('2026-01-01T10:01:00.000Z')).toBe(`        [${'#'.repeat(40)}] 100 %`);
});

test('a gate says what it asks of who decides; nothing of it is wider than a terminal', () => {
  const needs = {
    identity: 'proved' as const,
    approvers: ['ada@example.com', '*@sre.example.com'],
    reasonRequired: true,
    starterMayApprove: false,
    count: 2,
    given: ['ada@example.com'],
  };
  const evidence = [`observe-schema: ${'nothing to say of it '.repeat(20)}`];
  const lines = linesOf({ waiting: { ...gate({ evidence }), needs, expiresAt: '2026-01-01T11:05:00.000Z' } });
  const text = lines.join(' ').replaceAll(/\s+/g, ' ');
  expect(text).toContain(
    'needs 2 different people of ada@example.com, *@sre.example.com, by the principal that the server',
  );
  expect(text).toContain('approved so far: ada@example.com');
  expect(lines).toContain('  expires   in 1h');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test('what was observed last is told, with each check that did not pass', () => {
  const check = { value: 1, unit: 'count' as const, bound: 0, baseline: null, samples: 12 };
  const checks = [
    { ...check, id: 'restarts', verdict: 'pass' as const, value: 0 },
    { ...check, id: 'health', verdict: 'fail' as const },
  ];
  const lines = linesOf({
    judged: { what: 'new servers', endedAt: '2026-01-01T10:00:00.000Z', verdict: 'fail', checks },
  });
  expect(lines).toContain('seen    new servers: fail, 1 of 2 checks');
  expect(lines).toContain('        ✗ health: 1, bound ≤ 0');
});

/** All that a status can have, each as long as it may be. */
const FULL = (): Parameters<typeof status>[0] => ({
  rolloutId: `upgrade-${'a-long-name-'.repeat(5)}`,
  state: 'incident',
  live: { name: 'n'.repeat(60), path: Array.from({ length: 14 }, (_, minor) => `1.${minor + 18}.12`), findings: [] },
  waiting: gate({
    kind: 'incident',
    name: 'live/1.31.2/observe-servers/again/2/incident/12',
    allowed: ['approve', 'retry', 'abort', 'rollBack', 'restore'],
    evidence: Array.from({ length: 20 }, (_, index) => `fail: check-${index}: ${'too much of it '.repeat(8)}`),
    needs: {
      identity: 'said',
      approvers: ['ada@example.com'],
      reasonRequired: true,
      starterMayApprove: true,
      count: 2,
      given: [],
    },
    expiresAt: '2026-01-01T11:05:00.000Z',
  }),
  shards: {
    at: '2026-01-01T10:05:00.000Z',
    wanted: '1.31.2',
    shards: 512,
    owners: Array.from({ length: 12 }, (_, index) => ({
      address: `history-${index}.history.temporal-production.svc.cluster.example.com:7234`,
      version: '1.31.2',
      shards: 42,
    })),
    unproved: 4,
    waitsFor: [`shard 3 ${'its owner is still the one of before '.repeat(4)}`],
  },
  phases: [phase('preflight', 'x'.repeat(500)), phase('baseline', 'pass'), phase('backup', 'pass')],
});

test('nothing is wider than a terminal: long paths, names of hosts, and commands', () => {
  const lines = linesOf(FULL());
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const text = lines.join('\n');
  expect(text).toContain('-> 1.31.12');
  expect(text).toContain('history-11.history.temporal-production.svc.cluster.example.com:7234');
  // The command stays one for a shell.
  expect(text.replaceAll(/ \\\n\s*/g, ' ')).toContain(
    `temporal-upgrade retry upgrade-${'a-long-name-'.repeat(5)} --gate live/1.31.2/observe-servers/again/2/incident/12 --reason '<why>'`,
  );
});

test.each([24, 30, 40])('on a terminal of %i rows the gate and its command are there', (rows) => {
  const lines = statusText(status(FULL()), NOW, { rows }).split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  const text = lines.join('\n');
  expect(text).toContain('INCIDENT    live/1.31.2/observe-servers/again/2/incident/12');
  expect(text).toContain('fail: check-0');
  expect(text).toMatch(/… \d+ more lines:\s+temporal-upgrade status/);
  expect(text).toContain('temporal-upgrade retry');
  expect(text).toContain("--reason '<why>'");
});

test('what fits is not shortened', () => {
  const whole = linesOf({ waiting: gate() });
  expect(statusText(status({ waiting: gate() }), NOW, { rows: whole.length }).split('\n')).toEqual(whole);
});

test('what is painted is the line as it is: gates, incidents, verdicts, refusals', () => {
  const painted: string[] = [];
  const paint = (tone: string, line: string) => (painted.push(`${tone}: ${line}`), line);
  statusText(status({ waiting: gate(), decisions: [decision({ counted: false, refused: 'no' })] }), NOW, { paint });
  statusText(status(FULL()), NOW, { paint });
  expect(painted).toEqual(
    expect.arrayContaining([
      'gate: GATE    live/1.31.2/schema',
      'bad: refused approve live/1.31.2/schema: no',
      'incident: INCIDENT    live/1.31.2/observe-servers/again/2/incident/12',
    ]),
  );
});
