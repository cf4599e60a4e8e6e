import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, WorkflowUpdateFailedError, type WorkflowClient, type WorkflowHandle } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { besideId, ROLLOUT_WORKFLOW, SearchAttributes } from '../../src/contract/names.js';
import type { DecisionKind, DecisionRecord } from '../../src/core/decision.js';
import type { RolloutInputText } from '../../src/core/input/input.js';
import type { RolloutPlan } from '../../src/core/plan.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { markOfRun } from '../../src/core/run-mark.js';
import type { RolloutStatus } from '../../src/core/status.js';
import { LIVE_ALONE } from './plans.js';
import { rolloutText, targetText } from './rollout-input.js';
import { scriptedActivities, Script } from './scripted-activities.js';
import { bundleWorkflows } from './workflow-bundle.js';

type PolicyText = NonNullable<RolloutInputText['policy']>;

export interface RunSettings {
  readonly plan?: RolloutPlan;
  /** Over a policy without gates, whose waits last milliseconds. */
  readonly policy?: PolicyText;
  /** What the activities do; those of a new script succeed. */
  readonly script?: Script;
  /** Instead of an input that is right. */
  readonly raw?: unknown;
  readonly taskQueue?: string;
  /** Task queue of the workers near live. */
  readonly liveTaskQueue?: string;
  readonly namespace?: string;
  /** How it is started; by the SDK, without a summary, when left out. */
  readonly start?: (how: Start) => Promise<void>;
  /** What the start of it says of who started it; that of the SDK when left out. */
  readonly identity?: string;
}

export interface Start {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly input: RolloutInputText;
}

const QUICK: PolicyText = {
  watchLive: 0,
  gates: { live: [] },
  settle: { atLeast: 20, reason: 'a test', proofTimeout: 1_000 },
  observation: { window: 10, extensions: 2 },
};

/** A real Temporal server and a worker with the real workflows, for as long as a file of tests. */
export class ControlPlane {
  readonly #scripts = new Map<string, Script>();
  readonly #stopWorkers: (() => Promise<void>)[] = [];
  #names = 0;

  private constructor(
    readonly environment: TestWorkflowEnvironment,
    readonly dataDir: string,
    private readonly workflowBundle: { codePath: string },
  ) {}

  /** With `uiPort` the server has its Web UI there. */
  static async start({ uiPort, ...options }: Partial<WorkerOptions> & { uiPort?: number } = {}): Promise<ControlPlane> {
    // An incident is logged as an error; here they are meant to happen.
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    const [workflowBundle, path, dataDir] = await Promise.all([
      bundleWorkflows(),
      createToolResolver().temporalCli(),
      mkdtemp(join(tmpdir(), 'control-plane-')),
    ]);
    const environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        ...(uiPort === undefined ? {} : { ui: true, uiPort }),
        searchAttributes: Object.values(SearchAttributes),
        log: { format: 'pretty', level: 'error' },
        // An activity is handed to the worker in the answer to the workflow task that wants it: no round trip to wait for.
        extraArgs: ['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
      },
    });
    const controlPlane = new ControlPlane(environment, dataDir, workflowBundle);
    controlPlane.#stopWorkers.push(await controlPlane.startWorker('rollouts', options));
    return controlPlane;
  }

  get client() {
    return this.environment.client;
  }

  /** host:port of its frontend. */
  get address(): string {
    return this.environment.address;
  }

  /** Starts one more worker; the function that is returned stops it. */
  async startWorker(taskQueue: string, options: Partial<WorkerOptions> = {}): Promise<() => Promise<void>> {
    const worker = await Worker.create({
      connection: this.environment.nativeConnection,
      taskQueue,
      workflowBundle: this.workflowBundle,
      activities: scriptedActivities((rolloutId) => this.#scriptOf(rolloutId)),
      // Cancellation is told in the answer to a heartbeat; heartbeats are held back by seconds otherwise.
      maxHeartbeatThrottleInterval: '50ms',
      ...options,
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  }

  /** A namespace without search attributes, with a worker of its own. */
  async addNamespace(namespace: string): Promise<string> {
    const { workflowService } = this.client.connection;
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    // Servers see a new namespace after a moment.
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#stopWorkers.push(await this.startWorker('rollouts', { namespace }));
        return namespace;
      } catch (error) {
        if (attempt === 100) throw error;
        await sleep(100);
      }
    }
  }

  /** Starts a roll-out of clusters of its own. */
  async begin(settings: RunSettings = {}): Promise<RunningRollout> {
    const { plan = LIVE_ALONE, script = new Script(plan), taskQueue = 'rollouts' } = settings;
    this.#names += 1;
    const name = `live${this.#names}-${randomUUID().slice(0, 4)}`;
    const policy = { ...QUICK, ...settings.policy };
    const right = {
      ...rolloutText(),
      staging: targetText(`${name}-staging`),
      live: { ...targetText(name), taskQueue: settings.liveTaskQueue },
      policy,
      dataDir: this.dataDir,
    };
    const raw = 'raw' in settings ? settings.raw : right;
    const workflowId = `upgrade-${name}`;
    this.#scripts.set(workflowId, script);
    const { connection } = this.client;
    const { namespace = 'default', identity } = settings;
    const { workflow } = new Client({ connection, namespace, ...(identity === undefined ? {} : { identity }) });
    if (settings.start !== undefined) {
      await settings.start({ workflowId, taskQueue, input: right });
      // By now a later run may be the latest.
      const { raw: seen } = await workflow.getHandle(workflowId).describe();
      const firstExecutionRunId = seen.workflowExecutionInfo?.firstRunId ?? '';
      const started = Object.assign(workflow.getHandle(workflowId), { firstExecutionRunId });
      return new RunningRollout(workflow, started, script, name);
    }
    const handle = await workflow.start(ROLLOUT_WORKFLOW, { workflowId, taskQueue, args: [raw] });
    return new RunningRollout(workflow, handle, script, name);
  }

  async stop(): Promise<void> {
    for (const stopWorker of this.#stopWorkers) await stopWorker();
    await this.environment.teardown();
    await rm(this.dataDir, { recursive: true });
  }

  #scriptOf(rolloutId: string): Script {
    const script = this.#scripts.get(rolloutId);
    if (script === undefined) throw new Error(`no script for ${rolloutId}`);
    return script;
  }
}

export interface RunHistory {
  readonly runId: string;
  readonly history: Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
}

interface WorkflowMetadata {
  readonly currentDetails?: string;
  readonly definition?: {
    readonly signalDefinitions?: readonly { readonly name: string; readonly description?: string }[];
  };
}

type Handle = WorkflowHandle & { readonly firstExecutionRunId: string };

/** A roll-out in the middle of a test. */
export class RunningRollout {
  constructor(
    private readonly client: WorkflowClient,
    readonly handle: Handle,
    readonly script: Script,
    /** Name of the live target; that of staging has `-staging` behind it. */
    readonly name: string,
  ) {}

  get workflowId(): string {
    return this.handle.workflowId;
  }

  /** Of the latest run: the handle that started it would ask the first. */
  get latest(): WorkflowHandle {
    return this.client.getHandle(this.workflowId);
  }

  status(): Promise<RolloutStatus> {
    return this.latest.query<RolloutStatus>('status');
  }

  /** The result, when it has ended by itself. */
  async result(): Promise<RolloutResult> {
    return (await this.latest.result()) as RolloutResult;
  }

  async signal(kind: DecisionKind, ...payload: unknown[]): Promise<void> {
    await this.latest.signal<unknown[]>(kind, ...payload);
  }

  update(kind: DecisionKind, payload?: unknown): Promise<string> {
    return this.latest.executeUpdate<string, [unknown]>(kind, { args: [payload] });
  }

  /** This roll-out for another person: what is sent says so in its event. */
  as(identity: string): RunningRollout {
    const { connection, options } = this.client;
    const { workflow } = new Client({ connection, namespace: options.namespace, identity });
    return new RunningRollout(workflow, this.handle, this.script, this.name);
  }

  /** A signal as no client of the SDK would send it. */
  async rawSignal(signalName: string, encoding: string, text: string): Promise<void> {
    const bytes = (value: string) => new TextEncoder().encode(value);
    await this.client.workflowService.signalWorkflowExecution({
      namespace: this.client.options.namespace,
      workflowExecution: { workflowId: this.workflowId },
      signalName,
      input: { payloads: [{ metadata: { encoding: bytes(encoding) }, data: bytes(text) }] },
    });
  }

  /** What the Web UI shows of it: current details, and the messages that can be sent. */
  metadata(): Promise<WorkflowMetadata> {
    return this.latest.query<WorkflowMetadata>('__temporal_workflow_metadata');
  }

  async searchAttributes(): Promise<Record<string, string>> {
    const { typedSearchAttributes } = await this.latest.describe();
    const set = Object.values(SearchAttributes).map((key) => [key.name, typedSearchAttributes.get(key)] as const);
    return Object.fromEntries(set.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  }

  /** Waits until the status is as wanted. @throws with the last status when it never is */
  async until(what: string, fits: (status: RolloutStatus) => boolean): Promise<RolloutStatus> {
    // Far more than a quiet machine needs.
    const deadline = Date.now() + 60_000;
    for (;;) {
      const status = await this.status();
      if (fits(status)) return status;
      if (Date.now() > deadline) throw new Error(`never ${what}: ${JSON.stringify(status, null, 2)}`);
      await sleep(50);
    }
  }

  /** The last decision, once there are so many. */
  async decided(count: number): Promise<DecisionRecord | undefined> {
    const { decisions } = await this.until(`${count} decisions`, (status) => status.decisions.length >= count);
    return decisions.at(-1);
  }

  /** Waits until a gate or incident is open. */
  atGate(name: string): Promise<RolloutStatus> {
    return this.until(`at gate ${name}`, ({ waiting }) => waiting?.for === 'decision' && waiting.name === name);
  }

  /** Waits until an incident is open, whatever its number. */
  async atIncident(of: string): Promise<{ readonly name: string; readonly status: RolloutStatus }> {
    const isOpen = ({ waiting }: RolloutStatus) =>
      waiting?.for === 'decision' && waiting.name.startsWith(`${of}/incident/`);
    const status = await this.until(`at an incident of ${of}`, isOpen);
    return { name: status.waiting?.for === 'decision' ? status.waiting.name : '', status };
  }

  /** Approves a gate once it is open. */
  async approve(name: string): Promise<void> {
    await this.atGate(name);
    await this.signal('approve', { gate: name, by: 'ada' });
  }

  /** The runs of the chain, first to last, each with its history. */
  async histories(): Promise<RunHistory[]> {
    const runs: RunHistory[] = [];
    let runId: string | undefined = this.handle.firstExecutionRunId;
    while (runId !== undefined && runId !== '') {
      const handle: WorkflowHandle = this.client.getHandle(this.workflowId, runId);
      const history: RunHistory['history'] = await handle.fetchHistory();
      runs.push({ runId, history });
      runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
    }
    return runs;
  }

  /** The load of an environment, when it has ended. */
  async historyBeside(what: 'load' | 'meter', environment: 'staging' | 'live'): Promise<RunHistory['history']> {
    const holder = { workflowId: this.workflowId, firstRunId: this.handle.firstExecutionRunId };
    const id = besideId(holder, `${what}-${environment}`, markOfRun(holder.firstRunId));
    const handle: WorkflowHandle = this.client.getHandle(id);
    await handle.result();
    return handle.fetchHistory();
  }

  /** Ends what a test leaves behind. */
  async terminate(): Promise<void> {
    await this.latest.terminate('end of the test');
  }
}

/** Why an update was refused. @throws Error when it was taken */
export async function refusal(update: Promise<unknown>): Promise<string> {
  const error: unknown = await update.then(
    () => new Error('it was taken'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  return error.cause?.message ?? '';
}
