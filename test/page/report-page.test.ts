import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReportData, TargetEvidence } from '../../src/core/evidence.js';
import { reportPage } from '../../src/page/report-page.js';
import { openPage, type OpenedPage } from '../helpers/opened-page.js';
import { decision, hop, phase, result } from '../helpers/statuses.js';

const AT = Date.parse('2026-01-01T10:00:00.000Z');
const iso = (seconds: number) => new Date(AT + seconds * 1_000).toISOString();

const SPAN = { what: '1.30.7 → 1.31.2', from: iso(0), to: iso(600) };
const EVIDENCE: TargetEvidence = {
  environment: 'live',
  target: 'prod',
  commands: [
    { at: iso(10), activity: 'upgradeSchema', line: 'temporal-sql-tool update', times: 1, ms: 900 },
    { at: iso(20), activity: 'replaceNode', line: 'systemctl stop', times: 3, ms: 90, failed: 'no such unit' },
    { at: iso(30), activity: 'backUpStore', line: 'pg_dump', times: 1, ms: 0, unfinished: true },
    {
      at: iso(40),
      activity: 'applyRollSettings',
      line: `kubectl ${'--a-word-that-does-not-end='.repeat(8)}`,
      times: 1,
      ms: 12_000,
    },
  ],
  windows: [
    {
      what: 'new servers',
      kind: 'settled',
      startedAt: iso(400),
      endedAt: iso(460),
      verdict: 'fail',
      summary: 'fail: 1 of 9 checks',
      checks: [
        { id: 'error-ratio', verdict: 'fail', value: 0.2, unit: 'ratio', bound: 0.05, baseline: 0, samples: 900 },
      ],
    },
  ],
  spans: [
    {
      ...SPAN,
      traffic: Array.from({ length: 60 }, (_, index) => ({
        at: AT + index * 10_000,
        requestsPerSecond: index === 30 ? null : 100 + index,
        errorsPerSecond: 0,
        startP50: 4,
        startP99: 20,
      })),
      probe: Array.from({ length: 60 }, (_, index) => ({
        at: AT + index * 10_000,
        perSecond: 50,
        failedAttempts: index === 30 ? 1 : 0,
        failedCalls: 0,
        p50: 5,
        p99: 20 + index,
        longestGapMs: 30,
      })),
      clients: {
        attempts: 30_000,
        failedAttempts: 1,
        calls: 3_000,
        failedCalls: 0,
        latencyMs: { p50: 5, p99: 60, max: 400 },
        longestGapMs: 312,
        byCode: { UNAVAILABLE: 1 },
        failures: [
          { at: AT + 301_000, kind: 'matching', way: 'raw', code: 'UNAVAILABLE', reason: 'gone away', ms: 12 },
        ],
      },
    },
  ],
  shards: [
    {
      name: 'live-1.30.7-to-1.31.2-1',
      owners: ['10.0.0.1:7234', '10.0.0.2:7234'],
      looks: [
        { at: AT + 200_000, counts: [8, 0], moved: 0 },
        { at: AT + 300_000, counts: [3, 5], moved: 5 },
      ],
    },
  ],
  notes: ['the last 400 of 600 commands are shown'],
};

const LIVE = hop({
  environment: 'live',
  target: 'prod',
  startedAt: SPAN.from,
  endedAt: SPAN.to,
  phases: [phase('servers', '4 nodes replaced', { startedAt: iso(100), seconds: 200 })],
  schema: { visibility: { before: '1.9', after: '1.13' } },
});

const data = (more: Partial<ReportData> = {}): ReportData => ({
  rollout: result({ hops: [hop(), LIVE] }),
  evidence: [EVIDENCE],
  earlier: [],
  ...more,
});

describe('in a browser', () => {
  let folder: string;
  let opened: OpenedPage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-page-'));
    const file = join(folder, 'report.html');
    await writeFile(file, reportPage(data()));
    opened = await openPage(file);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('asks for nothing, complains of nothing, and draws what was measured', () => {
    expect(opened).toMatchObject({ requests: [], problems: [] });
    expect(opened.pictures).toHaveLength(2);
    for (const shapes of opened.pictures) expect(shapes).toBeGreaterThan(5);
  });

  test('is no wider than its window', () => {
    expect(opened.overflow).toEqual({ 1_400: 0, 600: 0 });
  });

  test('comes out whole on paper, as a person can read it', () => {
    const { cut, folded, smallestPoints, pages } = opened.printed;
    expect({ cut, folded }).toEqual({ cut: [], folded: [] });
    expect(smallestPoints).toBeGreaterThanOrEqual(7);
    expect(pages).toBeGreaterThan(0);
  });

  test.each([
    ['what was lost', /0\s+workflows lost, of 40 canaries/],
    ['what clients of live saw', /live\s+0\s+0\s+0\s+30000\s+1\s+312 ms/],
    ['what became of the work on staging', /staging\s+40\s+0\s+0\s+0\s+0/],
    ['phases with their times', /servers\s+2026-01-01 10:01:40\s+3m 20s\s+4 nodes replaced/],
    ['schema before and after', /schema of visibility\s+1\.9\s+1\.13/],
    ['why a call failed', /matching, without retries\s+UNAVAILABLE\s+gone away\s+12 ms/],
    ['a check that failed, and why it matters', /error-ratio\s+20\.00 %\s+≤ 5\.00 %/],
    ['commands', /upgradeSchema\s+temporal-sql-tool update\s+1\s+900ms\s+well/],
    ['a command that failed', /systemctl stop\s+3\s+90ms\s+failed: no such unit/],
    ['a command whose end nobody saw', /pg_dump\s+1\s+0ms\s+not known: its worker ended/],
    ['what the report does not know', /not in this report, prod: the last 400 of 600 commands are shown/],
    ['who decided', /approve\s+live\/1\.31\.2\/schema\s+ada\s+said\s+quiet hour\s+yes/],
    ['backups', /\/backups\/default\.dump\s+100\s+f00d\s+encrypted; also in bucket\/prefix/],
    ['rules that are not the default ones, and why', /policy\.settle\.atLeast\s+1m\s+10m\s+a rehearsal/],
    ['the planned path', /live\s+prod\s+1\.30\.7\s+1\.30\.7 → 1\.31\.2\s+1\.31\.2/],
  ])('shows %s', (_, shown) => {
    expect(opened.text).toMatch(shown);
  });
});

test('what people and servers wrote stays text', () => {
  const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>';
  const evidence = [
    { ...EVIDENCE, shards: [{ name: evil, owners: [evil], looks: [{ at: AT, counts: [1], moved: 0 }] }] },
  ];
  const rollout = result({
    decisions: [decision({ by: evil, reason: evil })],
    live: { name: evil, from: '1', to: '2' },
  });
  const page = reportPage(data({ rollout, evidence }));
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain('&lt;script');
});

test('one that is under way has its phases so far', () => {
  const rollout = { ...result({ hops: [] }), status: 'running' as const, phases: [phase('backup', '3 backups')] };
  const page = reportPage(data({ rollout }));
  expect(page).toContain('live prod: 1.30.7 → 1.31.2');
  expect(page).toContain('3 backups');
});

test('earlier roll-outs of the same hop stand beside it', () => {
  const earlier = [
    {
      ...LIVE,
      rolloutId: 'upgrade-other',
      startedAt: '2025-12-01T10:00:00.000Z',
      seconds: 700,
      phases: [{ phase: 'servers', seconds: 250 }],
    },
  ];
  const page = reportPage(data({ earlier }))
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ');
  expect(page).toMatch(/2025-12-01 10:00:00 upgrade-other prod completed 11m 40s 0ms 0ms 4m 10s 0ms 2/);
  expect(page).toMatch(/this one prod completed 3m 20s/);
});

test('without load and without evidence it is still a report', () => {
  const page = reportPage({ rollout: result({ ledgers: {} }), evidence: [], earlier: [] });
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(page).not.toContain('workflows lost');
});
