import { setCurrentDetails } from '@temporalio/workflow';
import type { ReportRequest } from '../contract/activities.js';
import type { ReportData } from '../core/evidence.js';
import { now } from './moments.js';
import { makeReport } from './make-report.js';

/** The report of a roll-out at any time, asked for from outside: nothing of it stands in the history of the roll-out itself. */
export async function report(request: ReportRequest): Promise<ReportData> {
  const { rollout } = request;
  setCurrentDetails(`what is known of **${rollout.rolloutId}**`);
  const isOver = rollout.status === 'completed' || rollout.status === 'aborted';
  return makeReport(isOver ? request : { ...request, rollout: { ...rollout, endedAt: now() } });
}
