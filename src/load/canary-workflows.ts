import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { CanaryActivities } from './canary-activities.js';
import {
  CANARY_ATTRIBUTE,
  CANARY_QUERY,
  CANARY_SIGNAL,
  CANARY_UPDATE,
  childValueOf,
  largeTextOf,
  mix,
  planCanary,
  valueOf,
  type CanaryAnswer,
  type CanaryInput,
  type CanaryPlan,
  type CanaryResult,
} from './canary-plan.js';

// Attempts without end and no overall timeout: what the target's outage delays must still come about.
const activities = proxyActivities<CanaryActivities>({
  startToCloseTimeout: '10s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
});

interface Carried {
  readonly id: string;
  readonly value: number;
}
const stepSignal = defineSignal<[Carried]>(CANARY_SIGNAL);
const changeUpdate = defineUpdate<number, [Carried]>(CANARY_UPDATE);
const askQuery = defineQuery<CanaryAnswer, [string]>(CANARY_QUERY);
const attributeKey = defineSearchAttributeKey(CANARY_ATTRIBUTE, SearchAttributeType.KEYWORD);

/** One unit of simulated work. Follows its plan, and returns what the plan says that it returns, if nothing went wrong. */
export async function canary(input: CanaryInput): Promise<CanaryResult> {
  const { number, kind, deadlineMs, before = [] } = input;
  const { workflowId } = workflowInfo();
  const plan = planCanary(number, kind, workflowId, before.length);
  const arrived = listen();
  const awaited = plan.calls.filter(({ call }) => call !== 'query').map(({ id }) => id);
  const allArrived = () => awaited.every((id) => arrived.has(id));
  const [firstTimerMs, secondTimerMs] = plan.timersMs;
  const [first, ...others] = plan.activities;
  const values: number[] = [...before];

  if (plan.attribute !== null) upsertSearchAttributes([{ key: attributeKey, value: plan.attribute }]);
  if (first !== undefined) values.push(await perform(first));
  if (before.length + 1 < plan.runs) return continueAsNew<typeof canary>({ ...input, before: values });
  if (plan.alarmMs !== null) await waitForRelease(plan.alarmMs, allArrived, deadlineMs);
  if (firstTimerMs !== undefined) await sleep(firstTimerMs);
  if (plan.alarmMs === null && awaited.length > 0) await condition(allArrived);
  const child = plan.childId === null ? undefined : runChild(plan.childId, number);
  for (const activity of others) values.push(await perform(activity));
  const childValue = await child;
  if (secondTimerMs !== undefined) await sleep(secondTimerMs);
  // An update gets its answer before its workflow ends.
  await condition(allHandlersFinished);

  // A long canary that ran into its deadline counts its release as given: its result depends on its number alone.
  for (const id of awaited) values.push(arrived.get(id) ?? valueOf(id));
  if (childValue !== undefined) values.push(childValue);
  return { number, digest: values.reduce(mix, number) };
}

/** Takes signals, updates and queries; returns the values that signals and updates brought, by id. */
function listen(): ReadonlyMap<string, number> {
  const arrived = new Map<string, number>();
  let signals = 0;
  // Summed, not replaced: one delivered twice makes the result wrong.
  const note = ({ id, value }: Carried) => arrived.set(id, (arrived.get(id) ?? 0) + value);
  setHandler(stepSignal, (carried) => {
    note(carried);
    signals += 1;
  });
  setHandler(changeUpdate, (carried) => {
    note(carried);
    return carried.value;
  });
  setHandler(askQuery, (id) => ({ value: valueOf(id), signals }));
  return arrived;
}

function perform({ id, behaviour }: CanaryPlan['activities'][number]): Promise<number> {
  const options = { activityId: id };
  if (behaviour !== 'large') return activities[behaviour].executeWithOptions(options, []);
  return activities.large.executeWithOptions(options, [largeTextOf(id)]).then(valueOf);
}

function runChild(workflowId: string, number: number): Promise<number> {
  return executeChild(canaryChild, { workflowId, args: [number], workflowIdReusePolicy: 'REJECT_DUPLICATE' });
}

/** Sleeps through the hop. An alarm that is due and does not come keeps the canary from ending, which is noticed. */
async function waitForRelease(alarmMs: number, released: () => boolean, deadlineMs: number): Promise<void> {
  const dueAt = Date.now() + alarmMs;
  const scope = new CancellationScope();
  const alarm = scope.run(() => sleep(alarmMs));
  // Awaited below in any case; this only says that its cancellation is no error.
  alarm.catch(() => undefined);
  await condition(released, deadlineMs);
  if (Date.now() >= dueAt) return alarm;
  scope.cancel();
}

/** The child of a canary. */
export async function canaryChild(number: number): Promise<number> {
  await sleep(200);
  return childValueOf(number);
}

/** Started by a schedule. Its id names the moment at which it was due. */
export async function canaryTick(): Promise<number> {
  return activities.plain.executeWithOptions({ activityId: 'tick' }, [workflowInfo().workflowId]);
}
