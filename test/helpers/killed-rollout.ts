import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import { readClaim } from '../../src/adapters/cluster/cluster-lock.js';
import { isRunning, listProcesses } from '../../src/adapters/process/linux-process.js';
import { listServerProcesses } from '../../src/adapters/process/server-process.js';
import { withTarget } from '../../src/adapters/cluster/target-connection.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { rollOrder } from '../../src/core/planning/roll-order.js';
import type { ReportData } from '../../src/core/evidence.js';
import { HOP_PHASES, type HopPhase } from '../../src/core/status.js';
import { listWaitingWorkflows, startWaitingWorkflows } from '../../src/lab/waiting-workflows.js';
import type { WorkerProcess } from '../../src/lab/rollout-control.js';
import type { RolloutLab } from '../../src/lab/rollout-lab.js';
import { openPage } from './opened-page.js';
import { WebhookReceiver } from './webhook-receiver.js';
import {
  FROM,
  SCHEMA,
  SHORT_POLICY,
  startsOf,
  startTestLab,
  startWorkflow,
  stateOf,
  statusNow,
  TO,
  until,
} from './rollout-lab.js';

const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const WAITING = 20;
const load = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 5 };

/**
 * Tests of one hop of staging and of live, both under load. On staging the worker is killed once in each of `phases`, the one of
 * the servers among them, and another process takes over each time; on live the control plane is killed while servers are
 * replaced. Nobody decides anything. With `everyRestart` the worker is killed in the restart of each server, not of one alone.
 */
export function testKilledRollout(phases: readonly HopPhase[], { everyRestart = false } = {}): void {
  let lab: Awaited<ReturnType<typeof startTestLab>>;
  let worker: WorkerProcess;
  let waiting: Record<'staging' | 'live', readonly string[]>;
  let receiver: WebhookReceiver;
  /** Of the channels of notices, by the file that holds it. */
  let secrets: Readonly<Record<'hook-url' | 'hook-key' | 'pager-token', string>>;
  let workflowId: string;
  let result: RolloutResult;
  const killedIn: string[] = [];
  /** Nodes during whose restart the worker was killed. */
  const killedDuring: string[] = [];
  /** Those of them that had been stopped and not yet started. */
  const killedBetween: string[] = [];

  beforeAll(async () => {
    lab = await startTestLab();
    waiting = {
      staging: await startWaitingWorkflows(lab.staging, WAITING),
      live: await startWaitingWorkflows(lab.live, WAITING),
    };
    receiver = await WebhookReceiver.start();
    secrets = { 'hook-url': `${receiver.url}?planted`, 'hook-key': 'k3y-of-the-hook', 'pager-token': 't0ken-of-pager' };
    for (const [name, secret] of Object.entries(secrets)) await writeFile(join(lab.directory, name), secret);
    worker = await lab.startWorker();
    // While the worker is dead so are those of the canaries, whose tasks wait.
    const bounds = { ...SHORT_POLICY.observation.bounds, backlogAgeRiseSeconds: 600 };
    const observation = { ...SHORT_POLICY.observation, bounds };
    const notices = { channels: channelsOf(lab.directory) };
    const policy = { ...SHORT_POLICY, observation, notices, load: { staging: load, live: load } };
    workflowId = await startWorkflow(lab, lab.input('1.30', { pins: { '1.29': FROM, '1.30': TO }, policy }));
    for (const phase of phases) {
      await inPhase(lab, workflowId, 'staging', phase);
      if (phase === 'servers') await killWhileNodeIsStopped();
      else await killWorker();
      killedIn.push(phase);
    }
    await approveWhatWasNotProved();
    await inPhase(lab, workflowId, 'live', 'servers');
    await lab.killControlPlane();
    await sleep(3_000); // the activity under way ends, or wants to heartbeat, with nobody to tell
    await lab.restartControlPlane();
    result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  }, 1_200_000);

  afterAll(async () => {
    await receiver?.stop();
    await lab?.remove();
  }, 120_000);

  /** One that takes what it is told, and one whose command says what it should not, and fails the first time. */
  function channelsOf(folder: string) {
    const secret = (name: keyof typeof secrets) => ({ file: join(folder, name) });
    const failsOnce = 'echo "no $TOKEN" >&2; test -e "$0" || { touch "$0"; exit 3; }';
    const command = ['sh', '-c', failsOnce, join(folder, 'told-once')];
    return [
      { type: 'webhook' as const, url: secret('hook-url'), key: secret('hook-key') },
      { type: 'command' as const, command, environment: { TOKEN: secret('pager-token') } },
    ];
  }

  /** A roll during which the worker was dead may have too little evidence; staging is then not promoted by itself. */
  async function approveWhatWasNotProved(): Promise<void> {
    const gate = await until(async () => {
      const status = await statusNow(lab, workflowId);
      if (status?.current?.environment === 'live') return 'promoted by itself';
      if (status?.waiting?.for !== 'decision') return undefined;
      const { name, evidence } = status.waiting;
      expect({ name, evidence }).toMatchObject({
        name: `live/${TO}/promote`,
        evidence: expect.arrayContaining([expect.stringMatching(/^not proved: observe-roll: .*inconclusive/)]),
      });
      return name;
    });
    if (!gate.startsWith('live/')) return;
    // An update: it is answered when the gate has been passed, a signal before.
    await lab.client.workflow.getHandle(workflowId).executeUpdate('approve', { args: [{ gate, by: 'test' }] });
  }

  async function killWorker(): Promise<void> {
    await worker.kill();
    worker = await lab.startWorker();
  }

  /** Kills the worker at the moment at which a node's process has ended; whether that was early enough is looked at after it. */
  async function killWhileNodeIsStopped(): Promise<void> {
    const { nodes } = lab.staging;
    const servers = await listServerProcesses();
    for (const name of rollOrder(nodes, 'forward')) {
      const process = servers.find(
        ({ configDir }) => configDir === nodes.find((node) => node.name === name)?.configDir,
      );
      if (process === undefined) continue;
      while (await isRunning(process)) await sleep(5);
      await worker.kill();
      killedDuring.push(name);
      const { running } = (await lab.staging.driver.listNodes()).find((node) => node.name === name) ?? {};
      if (running === false) killedBetween.push(name);
      worker = await lab.startWorker();
      if (killedBetween.length > 0 && !everyRestart) return;
    }
  }

  /** Waits until the roll-out is in that phase, or already behind it. @throws Error when it is not going on */
  async function inPhase(
    rolloutLab: RolloutLab,
    workflowId: string,
    environment: string,
    phase: string,
  ): Promise<void> {
    const seen = await until(async () => {
      const status = await statusNow(rolloutLab, workflowId);
      if (status === undefined) return undefined;
      if (status.state !== 'running') throw new Error(`${status.state} before ${phase}: ${status.problem ?? ''}`);
      const { current, phases, hops } = status;
      if (current?.environment === environment && current.phase === phase) return 'in';
      const done = [...phases, ...hops.flatMap((hop) => (hop.environment === environment ? hop.phases : []))];
      return current?.environment === environment && done.some((each) => each.phase === phase) ? 'behind' : undefined;
    }, 20);
    if (seen === 'behind') throw new Error(`${environment}/${phase} was over before the worker could be killed in it`);
  }

  test('the worker was killed in each of them, and once while a node was stopped and not yet started', () => {
    expect(killedIn).toEqual([...phases]);
    expect(killedBetween).not.toEqual([]);
    if (everyRestart) expect(killedDuring).toEqual(rollOrder(lab.staging.nodes, 'forward'));
  });

  test('the worker outlived the control plane', async () => {
    expect(await isRunning(worker.id)).toBe(true);
  });

  test('the roll-out is complete, without an incident, and with no decision but on what was not proved', () => {
    expect(result).toMatchObject({
      status: 'completed',
      staging: { name: 'staging', from: FROM, to: TO },
      live: { name: 'live', from: FROM, to: TO },
    });
    expect(
      result.hops.map(({ environment, from, to, outcome, incidents }) => [environment, from, to, outcome, incidents]),
    )
      // prettier-ignore
      .toEqual([
        ['staging', FROM, TO, 'completed', 0],
        ['live', FROM, TO, 'completed', 0],
      ]);
    expect(result.decisions.filter(({ gate }) => gate !== `live/${TO}/promote`)).toEqual([]);
    for (const hop of result.hops) {
      expect(hop.phases.map(({ phase }) => phase)).toEqual([...HOP_PHASES]);
      expect(hop.phases.filter(({ overridden }) => overridden !== undefined)).toEqual([]);
      expect(hop.historyEvents).toBeGreaterThan(0);
    }
  });

  test.each(['staging', 'live'] as const)(
    '%s runs the new version on the new schema, and no node was replaced twice',
    async (name) => {
      const { schema, nodes } = await stateOf(lab[name]);
      expect(schema).toEqual(SCHEMA.after);
      expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
        nodes.map(() => ({ version: TO, running: true })),
      );
      const servers = await listServerProcesses();
      for (const { name: node, configDir } of lab[name].nodes) {
        expect({ node, processes: servers.filter((server) => server.configDir === configDir).length }).toEqual({
          node,
          processes: 1,
        });
      }
      // Once by the lab, once by the roll-out.
      expect(await startsOf(lab[name])).toEqual(Object.fromEntries(lab[name].nodes.map((node) => [node.name, 2])));
    },
  );

  test.each(['staging', 'live'] as const)('every canary of %s is accounted for', (name) => {
    const ledger = result.ledgers[name];
    expect(ledger).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0, examples: [] });
    expect(ledger?.started).toBeGreaterThan(2 * load.longRunning);
    expect(ledger?.completed).toBe(ledger?.started);
    expect(ledger?.failedCalls).toEqual(expect.any(Number));
  });

  test.each(['staging', 'live'] as const)('the workflows of others on %s were looked at, and run on', async (name) => {
    const { phases } = result.hops.find(({ environment }) => environment === name) ?? { phases: [] };
    expect(phases.find(({ phase }) => phase === 'verify')?.summary).toContain(
      `${WAITING} running workflows looked at, 0 missing`,
    );
    expect(new Set(await listWaitingWorkflows(lab[name]))).toEqual(new Set(waiting[name]));
  });

  test('every backup is there, whole', async () => {
    for (const { backups, environment } of result.hops) {
      expect(backups.map(({ store }) => store)).toEqual(['default', 'visibility', 'configuration']);
      for (const { file, bytes, sha256 } of backups) {
        expect(file.startsWith(lab[environment].target.backupDir)).toBe(true);
        expect((await stat(file)).size).toBe(bytes);
        expect(
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        ).toBe(sha256);
      }
      const folder = await readdir(join(backups[0]?.file ?? '', '..'));
      expect(folder.filter((file) => file.includes('.partial'))).toEqual([]);
    }
  });

  test('both clusters are let go, and no load process is left', async () => {
    for (const { target } of [lab.staging, lab.live]) {
      expect(await withTarget(target.connection, (frontend) => readClaim(frontend))).toBeUndefined();
    }
    expect(await childrenOfWorkers()).toEqual([]);
    // A meter hears of its end with the answer to its next heartbeat.
    const giveUpAt = Date.now() + 30_000;
    let running = await runningWorkflows();
    while (running.length > 0 && Date.now() < giveUpAt) {
      await sleep(500);
      running = await runningWorkflows();
    }
    expect(running).toEqual([]);
  });

  /** As it is sent: texts of payloads stand in it as they are. */
  async function historyOf(id: string, runId: string): Promise<Buffer> {
    const history = await lab.client.workflow.getHandle(id, runId).fetchHistory();
    return Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
  }

  async function runningWorkflows(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of lab.client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      ids.push(workflowId);
    }
    return ids;
  }

  test('the report says what the result says', async () => {
    const reportDir = result.reportDir ?? '';
    const rollout: RolloutResult = { ...result, reportDir: undefined };
    const report = JSON.parse(await readFile(join(reportDir, 'report.json'), 'utf8')) as ReportData;
    expect(report.rollout).toEqual(JSON.parse(JSON.stringify(rollout)));
    const markdown = await readFile(join(reportDir, 'report.md'), 'utf8');
    for (const { backups } of result.hops) for (const { sha256 } of backups) expect(markdown).toContain(sha256);
  });

  test('the page of the report has what was run, judged and measured on both clusters, and opens by itself', async () => {
    const reportDir = result.reportDir ?? '';
    const { evidence } = JSON.parse(await readFile(join(reportDir, 'report.json'), 'utf8')) as ReportData;
    for (const { commands, windows, shards, spans, notes } of evidence) {
      expect(notes).toEqual([]);
      const lines = commands.map(({ line }) => line).join('\n');
      for (const program of ['pg_dump', 'pg_restore', 'temporal-sql-tool', 'temporal-server', 'kill -TERM'])
        expect(lines).toContain(program);
      expect(windows.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['baseline', 'old servers, new schema', 'while servers were replaced', 'new servers']),
      );
      expect(shards).toHaveLength(1);
      expect(spans).toEqual([expect.objectContaining({ what: `${FROM} → ${TO}` })]);
      expect(spans[0]?.clients?.attempts).toBeGreaterThan(0);
    }
    const opened = await openPage(join(reportDir, 'report.html'));
    expect(opened).toMatchObject({ requests: [], problems: [] });
    // Of each cluster one of the hop, and one of its settle.
    expect(opened.pictures).toHaveLength(4);
  }, 120_000);

  test('people were told of its end, by the channel that takes what it is told', async () => {
    await until(() => receiver.messages.find(({ kind }) => kind === 'completed'));
  }, 60_000);

  test('no secret, of databases or channels, is in a report, history, record or log, or in a list of processes', async () => {
    const planted = { ...secrets, database: lab.sqlDatabase().password };
    const texts = new Map<string, Buffer>();
    const folders = [result.reportDir ?? '', lab.directory];
    for (const folder of folders)
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name);
        if (entry.isFile() && /\.(jsonl?|md|html|log)$/.test(file)) texts.set(file, await readFile(file));
      }
    for await (const { workflowId: id, runId } of lab.client.workflow.list())
      texts.set(`${id} ${runId}`, await historyOf(id, runId));
    texts.set('processes', Buffer.from(JSON.stringify(await listProcesses())));
    expect([...texts.keys()]).toEqual(
      expect.arrayContaining([expect.stringMatching(/report\.html$/), expect.stringMatching(/commands\.jsonl$/)]),
    );
    for (const [name, secret] of Object.entries(planted)) {
      const found = [...texts].filter(([, text]) => text.includes(secret)).map(([where]) => where);
      expect({ name, found }).toEqual({ name, found: [] });
    }
  }, 120_000);

  test('watch and report of the command line say that it is complete', async () => {
    const env = { ...process.env, TEMPORAL_ADDRESS: lab.controlPlane.address };
    const { stdout: watched } = await promisify(execFile)(CLI, ['watch', workflowId, '--output', 'json'], { env });
    expect(JSON.parse(watched)).toEqual(JSON.parse(JSON.stringify(result)));
    const { stdout: report } = await promisify(execFile)(CLI, ['report', workflowId], { env });
    expect(report).toMatch(/^# Roll-out upgrade-live: completed\n/);
    const html = join(lab.directory, 'asked-for.html');
    await promisify(execFile)(CLI, ['report', workflowId, '--html', html], { env });
    expect(await readFile(html, 'utf8')).toBe(await readFile(join(result.reportDir ?? '', 'report.html'), 'utf8'));
  }, 120_000);

  /** Processes that the lab's workers started and that are still there: they run in the folder of their worker. */
  async function childrenOfWorkers(): Promise<(readonly string[])[]> {
    const others = (await listProcesses()).filter(({ pid }) => pid !== worker.id.pid);
    const folders = await Promise.all(others.map(({ pid }) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
    return others.filter((_, index) => folders[index] === lab.directory).map(({ argv }) => argv);
  }
}
