import { randomUUID } from 'node:crypto';
import type { WorkflowService } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { grpcCodeOf } from '../../adapters/cluster/target-connection.js';
import { messageOf } from '../../core/errors.js';
import { PROBE_KINDS, type ProbeKind } from './probe-interval.js';
import { requestIdOf } from '../request-id.js';

/** gRPC status codes that can be the right answer. */
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const { TaskQueueType } = proto.temporal.api.enums.v1;
/** Shards are chosen by workflow id, and matching processes by task queue: several of each meet most processes. */
const WORKFLOWS = 8;
const TASK_QUEUES = 4;
/**
 * The first workflow task would come on the next 29th of February, and the timeout is over before. So the workflow never asks
 * for a worker, and no task of it waits that would look like a backlog. A start delay would do the same from 1.21 on.
 */
const NEVER = '0 0 29 2 *';
const TIMEOUT = '30 days';

/** The calls of one kind, one after the other; each resolves when the answer is right. */
export interface ProbeCall {
  readonly kind: ProbeKind;
  readonly call: (service: WorkflowService) => Promise<void>;
}

export interface ProbedAs {
  readonly namespace: string;
  /** Names the probe's own workflows. */
  readonly id: string;
  /** False where nothing may be changed: then no workflow is started or signalled, and no task queue loaded. */
  readonly mayChange: boolean;
}

/** What is called, each as often as the others. */
export function makeProbeCalls(probed: ProbedAs): ProbeCall[] {
  const calls = callsOfEachKind(probed);
  return PROBE_KINDS.flatMap((kind) => {
    const call = calls[kind];
    return call === undefined ? [] : [{ kind, call }];
  });
}

function callsOfEachKind({ namespace, id, mayChange }: ProbedAs): Partial<Record<ProbeKind, ProbeCall['call']>> {
  const workflows = Array.from(
    { length: WORKFLOWS },
    (_, index) => new ProbeWorkflow(namespace, `probe-${id}-${index}`),
  );
  const [toRead, toChange] = [inTurn(workflows), inTurn(workflows)];
  const taskQueues = inTurn(Array.from({ length: TASK_QUEUES }, (_, index) => `probe-${id}-${index}`));
  const reading: Partial<Record<ProbeKind, ProbeCall['call']>> = {
    frontend: async (service) => void (await service.getSystemInfo({})),
    namespace: async (service) => void (await service.describeNamespace({ namespace })),
    'history-read': (service) => toRead().read(service),
    visibility: async (service) => {
      const query = `WorkflowId = "probe-${id}-0"`;
      await service.listWorkflowExecutions({ namespace, pageSize: 1, query });
    },
  };
  if (!mayChange) return reading;
  return {
    ...reading,
    'history-write': (service) => toChange().change(service),
    matching: async (service) => {
      const taskQueueType = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
      await service.describeTaskQueue({ namespace, taskQueue: { name: taskQueues() }, taskQueueType });
    },
  };
}

/**
 * A workflow that the probe reads and signals. The signal has always the same request id: the server finds that it has it
 * already, and leaves the history as it is. (A repeated start would be refused as well, but leaves a branch of history behind
 * in the store each time.)
 */
class ProbeWorkflow {
  #isThere = false;
  /** Another one in each process: one that an ended workflow had would be taken for its start. */
  readonly #startRequestId = randomUUID();

  constructor(
    readonly namespace: string,
    readonly workflowId: string,
  ) {}

  async read(service: WorkflowService): Promise<void> {
    const { namespace, workflowId } = this;
    const expected = this.#isThere;
    try {
      await service.describeWorkflowExecution({ namespace, execution: { workflowId } });
    } catch (error) {
      // Before it is started "no such workflow" is the right answer, and comes from its shard; "no such namespace" is not.
      if (expected || grpcCodeOf(error) !== NOT_FOUND || /namespace/i.test(messageOf(error))) throw error;
    }
  }

  async change(service: WorkflowService): Promise<void> {
    if (!this.#isThere) return this.#start(service);
    const { namespace, workflowId } = this;
    try {
      await service.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId },
        signalName: 'probe',
        requestId: requestIdOf(workflowId, 'probe'),
      });
    } catch (error) {
      // Counted as a failure, and started again.
      if (grpcCodeOf(error) === NOT_FOUND) this.#isThere = false;
      throw error;
    }
  }

  async #start(service: WorkflowService): Promise<void> {
    const { namespace, workflowId } = this;
    try {
      await service.startWorkflowExecution({
        namespace,
        workflowId,
        workflowType: { name: 'temporal-upgrade-probe' },
        taskQueue: { name: workflowId },
        requestId: this.#startRequestId,
        cronSchedule: NEVER,
        workflowExecutionTimeout: msToTs(TIMEOUT),
        identity: 'temporal-upgrade-probe',
      });
    } catch (error) {
      if (grpcCodeOf(error) !== ALREADY_EXISTS) throw error;
    }
    this.#isThere = true;
  }
}

/** Gives one after the other, and begins again. */
function inTurn<T>(items: readonly T[]): () => T {
  let index = 0;
  return () => {
    const item = items[index % items.length];
    if (item === undefined) throw new RangeError('nothing to choose from');
    index += 1;
    return item;
  };
}
