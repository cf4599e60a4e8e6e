import {
  CancellationScope,
  condition,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { CanaryActivities } from './canary-activities.js';
import {
  CANARY_SIGNAL,
  childValueOf,
  mix,
  planCanary,
  valueOf,
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

const stepSignal = defineSignal<[{ readonly id: string; readonly value: number }]>(CANARY_SIGNAL);

/** One unit of simulated work. Follows its plan, and returns what the plan says that it returns, if nothing went wrong. */
export async function canary({ number, kind, deadlineMs }: CanaryInput): Promise<CanaryResult> {
  const plan = planCanary(number, kind, workflowInfo().workflowId);
  const arrived = new Map<string, number>();
  setHandler(stepSignal, ({ id, value }) => {
    // Summed, not replaced: a signal delivered twice makes the result wrong.
    arrived.set(id, (arrived.get(id) ?? 0) + value);
  });
  const allArrived = () => plan.signals.every((id) => arrived.has(id));
  const [firstTimerMs = 0, secondTimerMs = 0] = plan.timersMs;
  const [first, ...others] = plan.activities;
  const values: number[] = [];

  if (first !== undefined) values.push(await perform(first));
  if (plan.alarmMs !== null) await waitForRelease(plan.alarmMs, allArrived, deadlineMs);
  await sleep(firstTimerMs);
  if (plan.alarmMs === null) await condition(allArrived);
  const child = plan.childId === null ? undefined : runChild(plan.childId, number);
  for (const activity of others) values.push(await perform(activity));
  const childValue = await child;
  await sleep(secondTimerMs);

  // A long canary that ran into its deadline counts its release as given: its result depends on its number alone.
  for (const id of plan.signals) values.push(arrived.get(id) ?? valueOf(id));
  if (childValue !== undefined) values.push(childValue);
  return { number, digest: values.reduce(mix, number) };
}

function perform({ id, behaviour }: CanaryPlan['activities'][number]): Promise<number> {
  return activities[behaviour].executeWithOptions({ activityId: id }, []);
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
