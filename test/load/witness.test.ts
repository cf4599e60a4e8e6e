import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { CanaryTarget } from '../../src/load/canary-target.js';
import { Ledger, type EntryKind } from '../../src/load/ledger.js';
import { askAgain, askVisibility } from '../../src/load/witness.js';
import { startGrpcServer, type GrpcServer } from '../helpers/grpc-server.js';

const { DescribeNamespaceResponse, ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse } =
  proto.temporal.api.workflowservice.v1;
const COMPLETED = proto.temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED;
const MINUTE = 60_000;

let folder: string;
let ledger: Ledger;
let server: GrpcServer;
let connection: Connection;
let target: CanaryTarget;
/** What was asked for. */
let queries: string[];
/** Workflow ids that visibility shows, to each question that names them or a task queue. */
let shown: Set<string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'witness-'));
  ledger = new Ledger(join(folder, 'ledger.sqlite'), 'a');
  [queries, shown] = [[], new Set()];
  server = await startGrpcServer({
    DescribeNamespace: () => {
      const config = { workflowExecutionRetentionTtl: msToTs('1 day') };
      return DescribeNamespaceResponse.encode({ config }).finish();
    },
    ListWorkflowExecutions: (request) => {
      const { query } = ListWorkflowExecutionsRequest.decode(request);
      queries.push(query);
      const one = /(?:WorkflowId|UpgradeCanary) = '([^']*)'/.exec(query)?.[1];
      const ids = one === undefined ? [...shown] : [one].filter((id) => shown.has(id));
      const executions = ids.map((workflowId) => ({ execution: { workflowId }, status: COMPLETED }));
      return ListWorkflowExecutionsResponse.encode({ executions }).finish();
    },
  });
  connection = Connection.lazy({ address: server.address });
  target = new CanaryTarget(connection, 'a');
});
afterEach(async () => {
  await connection.close();
  await server.close();
  ledger[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Adds canaries that were started and completed so long ago. */
function complete(ids: readonly string[], { kind = 'steps', ago }: { kind?: EntryKind; ago: number }): void {
  const at = Date.now() - ago;
  const command = { namespace: 'n', taskQueue: 'q' };
  ledger.inTransaction(() => {
    for (const workflowId of ids) {
      ledger.intend({ workflowId, number: 1, kind, command, hop: null, intendedAt: at, dueAt: null });
      const row = ledger.entries.count('SELECT row AS n FROM canary WHERE workflowId = ?', workflowId);
      ledger.confirmStart(row, { runId: 'r', at, dueAt: null });
      ledger.recordOutcome(row, { outcome: 'completed', reason: null, final: true }, at);
    }
  });
}

const ids = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`);
const lists = () => queries.filter((query) => query.startsWith('TaskQueue'));

test('those that nobody came to ask for yet are not said to be missing, and all come their turn', async () => {
  complete(ids('attribute', 400), { kind: 'searchAttributes', ago: 10 * MINUTE });
  complete(ids('here', 300), { kind: 'searchAttributes', ago: 9 * MINUTE });
  for (const id of ids('here', 300)) shown.add(id);
  await askVisibility(ledger, target);
  expect(queries.length).toBeLessThanOrEqual(200);
  expect(ledger.summary().unseen).toBe(150);
  for (let look = 0; look < 5; look += 1) await askVisibility(ledger, target);
  expect(ledger.summary().unseen).toBe(400);
  // Those that are not shown do not keep the others from being asked for, and are asked for again.
  for (const id of ids('attribute', 400)) shown.add(id);
  for (let look = 0; look < 3; look += 1) await askVisibility(ledger, target);
  expect(ledger.summary().unseen).toBe(0);
});

test('one that stays missing is asked for by its id: lists go back only as far as what is fresh', async () => {
  complete(['missing'], { ago: 3 * 60 * MINUTE });
  complete(['fresh'], { ago: MINUTE });
  await askVisibility(ledger, target);
  expect(lists()).toHaveLength(1);
  const from = Date.parse(/StartTime >= '([^']*)'/.exec(lists()[0] ?? '')?.[1] ?? '');
  expect(Date.now() - from).toBeLessThan(5 * MINUTE);
  expect(queries).toContain(`WorkflowId = 'missing' AND ExecutionStatus = 'Completed'`);
  expect(ledger.summary().unseen).toBe(1);
  shown.add('missing').add('fresh');
  await askVisibility(ledger, target);
  expect(ledger.summary().unseen).toBe(0);
  expect(ledger.entries.count('SELECT count(*) AS n FROM canary WHERE seen = 1')).toBe(2);
});

test('when thousands are missing they are listed, and not in every look', async () => {
  complete(ids('late', 1_000), { ago: 20 * MINUTE });
  await askVisibility(ledger, target);
  await askVisibility(ledger, target);
  expect(lists()).toHaveLength(1);
  expect(ledger.summary().unseen).toBe(1_000);
});

test('a list marks what it shows as seen', async () => {
  complete(ids('new', 20), { ago: MINUTE });
  for (const id of ids('new', 20)) shown.add(id);
  await askVisibility(ledger, target);
  expect(queries).toHaveLength(1);
  expect(ledger.summary().unseen).toBe(0);
});

test('one that was shown before and has vanished is noticed, also long after; and taken back when it is shown again', async () => {
  complete(ids('old', 30), { ago: 3 * 60 * MINUTE });
  complete(ids('tagged', 30), { kind: 'searchAttributes', ago: 10 * MINUTE });
  for (const id of [...ids('old', 30), ...ids('tagged', 30)]) shown.add(id);
  await askVisibility(ledger, target);
  await askAgain(ledger, target);
  const since = Date.now(); // what was found before this has been judged
  expect(ledger.summary(since).unseen).toBe(0);
  shown.delete('old-7');
  shown.delete('tagged-7');
  await askAgain(ledger, target);
  expect(ledger.summary(since).unseen).toBe(2);
  for (const id of ['old-7', 'tagged-7']) shown.add(id);
  await askVisibility(ledger, target);
  expect(ledger.summary(since).unseen).toBe(0);
});

test('what the retention may have removed is not asked for again, nor what visibility may not show yet', async () => {
  complete(['long-ago'], { ago: 25 * 60 * MINUTE });
  complete(['just-now'], { ago: MINUTE });
  for (const id of ['long-ago', 'just-now']) shown.add(id);
  await askVisibility(ledger, target);
  shown.clear();
  await askAgain(ledger, target);
  expect(ledger.entries.count('SELECT count(*) AS n FROM canary WHERE seen = 1')).toBe(2);
});
