import { ApplicationFailure } from '@temporalio/activity';
import { readClaim } from '../adapters/cluster/cluster-lock.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import { withTarget } from '../adapters/open-target.js';
import { surveyTarget } from '../adapters/survey-target.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { Examined, Holder, HopPlace, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { examine } from '../core/checks/examine.js';
import { messageOf } from '../core/errors.js';
import { findingText } from '../core/finding.js';
import type { Target } from '../core/input/input.js';
import type { Hop } from '../core/plan.js';
import { ofPart, partsIn } from '../core/stores.js';
import { storesOf } from '../core/planning/present-state.js';
import { lookAtLines, surveyLines } from '../core/survey/survey-lines.js';
import { currentWork } from './guard.js';
import { recordSearchAttributes } from './search-attributes.js';

type PreflightActivities = Pick<TargetActivities, 'examineTarget' | 'preflight'>;

export interface PreflightDependencies {
  readonly catalogue: Catalogue;
  readonly tools: ToolResolver;
}

/** Activities that say whether a hop can be done, before anything of it is. */
export const createPreflightActivities = (dependencies: PreflightDependencies): PreflightActivities => ({
  examineTarget: ({ target, hop }) => examineForHop({ target }, hop, dependencies),

  async preflight({ hop, holder, ...place }) {
    const { target } = place;
    const problems = [
      ...(await claimProblems(target, holder)),
      ...(await toolProblems(target, hop, dependencies.tools)),
    ];
    if (problems.length > 0) throw refused(target, hop, problems);
    const { lines, findings } = await examineForHop(place, hop, dependencies);
    const attributes = await recordSearchAttributes(place);
    return { lines: [...lines, attributes, `tools of ${hop.to} at hand`], findings };
  },
});

/** @throws ApplicationFailure `PreflightFailed` when a finding blocks the hop; its details are the findings */
async function examineForHop(
  { target, canaryNamespaces }: Pick<HopPlace, 'target' | 'canaryNamespaces'>,
  hop: Hop,
  { catalogue, tools }: PreflightDependencies,
): Promise<Examined> {
  const survey = await surveyTarget(target, { catalogue, tools, hop, work: currentWork() });
  const findings = examine(survey, { catalogue, stores: storesOf(target), hop, canaryNamespaces }).filter(
    ({ severity }) => severity !== 'note',
  );
  const blocking = findings.filter(({ severity }) => severity === 'block');
  if (blocking.length > 0) throw refused(target, hop, blocking.map(findingText), [findings]);
  return { lines: [...surveyLines(survey), ...lookAtLines(findings)], findings };
}

function refused(
  { name }: Target,
  { from, to }: Hop,
  problems: readonly string[],
  details: unknown[] = [],
): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.preflightFailed,
    message: `preflight of ${name} from ${from} to ${to}:\n${problems.join('\n')}`,
    details,
  });
}

async function claimProblems(target: Target, holder: Holder): Promise<string[]> {
  const held = await withFrontend(target.connection, (frontend) => readClaim(frontend));
  if (
    held !== undefined &&
    held !== 'unknown' &&
    held.workflowId === holder.workflowId &&
    held.firstRunId === holder.firstRunId
  )
    return [];
  return [
    held === undefined
      ? `the lock of this roll-out on ${target.name} was taken away; another may be at work. Abort, and start again`
      : `${target.name} is held by ${held === 'unknown' ? 'something unknown' : held.workflowId}`,
  ];
}

/** Brings what the hop will need: what can fail now must not fail half-way. */
async function toolProblems(target: Target, { from, to }: Hop, tools: ToolResolver): Promise<string[]> {
  const work = currentWork();
  return withTarget(target, tools, async ({ driver, stores }) => {
    const problems: string[] = [];
    const bring = [
      () => driver.prepare(to, work),
      // A node that does not come up is put back.
      () => driver.prepare(from, work),
      ...partsIn(stores).map((part) => () => ofPart(stores, part).prepareUpdate(to, work)),
    ];
    for (const one of bring) {
      try {
        await one();
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    return [...new Set(problems)]; // what both stores lack, once
  });
}
