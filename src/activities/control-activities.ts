import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo, ApplicationFailure, cancellationSignal, getClient } from '@temporalio/activity';
import { identityOf, placeOf, readEvents, type RunRef } from '../adapters/event-identity.js';
import { sendNotice } from '../adapters/notices/send-notice.js';
import { missingSearchAttributes } from '../adapters/search-attributes.js';
import { READABLE, writeWhole } from '../adapters/write-whole.js';
import type { ControlActivities, PlanRequest, SentDecision } from '../contract/activities.js';
import { FailureType, SEARCH_ATTRIBUTE_NAMES } from '../contract/names.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { PreconditionError } from '../core/errors.js';
import { parseRolloutInput } from '../core/input/input.js';
import { policyDifferences } from '../core/input/policy-differences.js';
import { type Finding, findingText } from '../core/finding.js';
import type { Identity } from '../core/identity.js';
import type { RolloutPlan } from '../core/plan.js';
import { gateFindings } from '../core/planning/gate-findings.js';
import { planRollout } from '../core/planning/rollout-plan.js';
import { reportPage } from '../page/report-page.js';
import { reportMarkdown } from '../report/report-markdown.js';
import { findEarlier, reportDir } from './earlier-reports.js';
import { plannedFrom } from '../core/planning/present-state.js';
import { nextOpening } from '../core/windows.js';

/** Activities of the roll-out itself: they touch no target. */
export const createControlActivities = ({ catalogue }: { readonly catalogue: Catalogue }): ControlActivities => ({
  async validateInput(raw) {
    const input = parseRolloutInput(raw);
    const { connection, options } = getClient();
    const { clusterId } = await connection.workflowService.getClusterInfo({});
    const namespace = activityInfo().workflowNamespace ?? options.namespace;
    return {
      input,
      controlPlane: { clusterId: clusterId ?? '', namespace },
      searchAttributes: await hasSearchAttributes(namespace),
      starter: await starterOf(ownRun()),
      differences: policyDifferences(input),
    };
  },

  nextOpening({ windows, at }) {
    const moment = nextOpening(windows, Date.parse(at));
    if (moment === undefined)
      throw ApplicationFailure.nonRetryable(
        'policy.approval.….windows do not open within a year; abort, and start anew with other windows',
        FailureType.precondition,
      );
    return Promise.resolve({ opensAt: new Date(moment).toISOString() });
  },

  sendNotice: ({ channel, notice }) => sendNotice(channel, notice, cancellationSignal()),

  async identifySender(sent) {
    const event = await findSent(sent);
    if (event === undefined) throw new Error(`the history has no event of ${JSON.stringify(sent)} yet`);
    return { ...identityOf(event), event: placeOf(event, ownRun()) };
  },

  makePlan(request) {
    return Promise.resolve().then(() => makePlan(catalogue, request));
  },

  findEarlier: ({ dataDir, rollout }) => findEarlier(dataDir, rollout),

  async writeReport({ dataDir, report }) {
    const directory = reportDir(dataDir, report.rollout);
    await mkdir(directory, { recursive: true });
    const write = (name: string, text: string) => writeWhole(join(directory, name), text, READABLE);
    await write('report.json', `${JSON.stringify(report, null, 2)}\n`);
    await write('report.md', reportMarkdown(report.rollout));
    await write('report.html', reportPage(report));
    return { directory };
  },
});

function makePlan(catalogue: Catalogue, { input, starter, staging, live }: PlanRequest): RolloutPlan {
  if (staging.clusterId === live.clusterId) {
    throw ApplicationFailure.nonRetryable(
      `staging (${input.staging.name}) and live (${input.live.name}) are one and the same cluster, ${live.clusterId}; ` +
        'a roll-out needs a staging cluster of its own',
      FailureType.preflightFailed,
    );
  }
  const plan = planOrRefuse(() =>
    planRollout({
      catalogue,
      to: input.to,
      pins: input.pins,
      staging: plannedFrom(input.staging, staging, input.policy.roll),
      live: plannedFrom(input.live, live, input.policy.roll),
    }),
  );
  const ofGates = gateFindings(input.policy.approval, starter, Date.now());
  const blocking = [...ofGates, ...plan.findings, ...plan.staging.findings, ...plan.live.findings]
    .concat([...plan.staging.hops, ...plan.live.hops].flatMap((hop): readonly Finding[] => hop.findings))
    .filter(({ severity }) => severity === 'block');
  if (blocking.length > 0) {
    throw ApplicationFailure.create({
      type: FailureType.unsupportedPath,
      message: blocking.map(findingText).join('\n'),
      nonRetryable: true,
      details: [blocking],
    });
  }
  return { ...plan, findings: [...plan.findings, ...ofGates] };
}

/** The same input, the same facts: planned again, it would be refused again. */
function planOrRefuse(plan: () => RolloutPlan): RolloutPlan {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    throw ApplicationFailure.create({
      type: FailureType.preflightFailed,
      message: error.message,
      nonRetryable: true,
      details: [error.facts],
      cause: error,
    });
  }
}

function ownRun(): RunRef {
  const { workflowExecution, workflowNamespace } = activityInfo();
  if (workflowExecution === undefined) throw new TypeError('this activity belongs to no workflow');
  return { namespace: workflowNamespace ?? getClient().options.namespace, ...workflowExecution };
}

/** Only the first event of a run is looked at: it says who started it. */
async function starterOf(run: RunRef): Promise<Identity> {
  for await (const event of readEvents(getClient().connection.workflowService, run)) return identityOf(event);
  return {};
}

async function findSent(sent: SentDecision) {
  let number = 0;
  for await (const event of readEvents(getClient().connection.workflowService, ownRun())) {
    if ('updateId' in sent) {
      const { acceptedRequest } = event.workflowExecutionUpdateAcceptedEventAttributes ?? {};
      if (acceptedRequest?.meta?.updateId === sent.updateId) return event;
    } else if (event.workflowExecutionSignaledEventAttributes?.signalName === sent.signal) {
      number += 1;
      if (number === sent.number) return event;
    }
  }
  return undefined;
}

/** Setting a search attribute that is not registered would block the workflow, so in doubt it is left out. */
async function hasSearchAttributes(namespace: string): Promise<boolean> {
  try {
    return (await missingSearchAttributes(getClient().connection, namespace, SEARCH_ATTRIBUTE_NAMES)).length === 0;
  } catch {
    return false;
  }
}
