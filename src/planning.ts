import { loadCatalogue } from './adapters/catalogue-file.js';
import { inspectTarget } from './adapters/cluster/inspect-target.js';
import { readClusterInfo } from './adapters/cluster/target-cluster.js';
import { withTarget } from './adapters/cluster/target-connection.js';
import { surveyTarget } from './adapters/survey-target.js';
import { createDriver } from './adapters/open-target.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { messageOf } from './core/errors.js';
import { type RolloutInput, RollPolicy, type Target } from './core/input/input.js';
import { listedNodes } from './core/input/listed-nodes.js';
import { planPath, type PathRequest } from './core/planning/path.js';
import { examine } from './core/checks/examine.js';
import { diagnose, type Diagnosis } from './core/diagnoses.js';
import type { Finding } from './core/finding.js';
import type { Survey } from './core/survey/survey.js';
import type { HopReplacements, Path, RolloutPlan } from './core/plan.js';
import { gateFindings } from './core/planning/gate-findings.js';
import { checkVersion } from './core/planning/version-check.js';
import { plannedFrom, presentState, storesOf } from './core/planning/present-state.js';
import { rollOrder } from './core/planning/roll-order.js';
import { withRollSettings } from './core/planning/roll-settings.js';
import { rollTargetOf } from './core/planning/roll-target.js';
import { planRollout } from './core/planning/rollout-plan.js';

/** A look at all of a cluster that runs: what was seen, and what there is to say of it. */
export interface Examination {
  readonly target: string;
  readonly survey: Survey;
  readonly findings: readonly Finding[];
  /** What the findings say about the troubles that people have after an upgrade. */
  readonly diagnoses: readonly Diagnosis[];
}

/** Looks at all of each cluster from here, side by side, and holds it against the catalogue; changes nothing. */
export async function examineTargets(targets: readonly Target[]): Promise<Examination[]> {
  const [catalogue, tools] = [await loadCatalogue(), createToolResolver()];
  return Promise.all(
    targets.map(async (target) => {
      const survey = await surveyTarget(target, { catalogue, tools });
      const findings = examine(survey, { catalogue, stores: storesOf(target) });
      return { target: target.name, survey, findings, diagnoses: diagnose(findings) };
    }),
  );
}

/** What is to be said of the version that a cluster runs. @throws PreconditionError when its frontend cannot be asked */
export async function checkTarget(target: Target): Promise<{ readonly version: string; readonly findings: Finding[] }> {
  const [catalogue, info] = await Promise.all([
    loadCatalogue(),
    withTarget(target.connection, (frontend) => readClusterInfo(frontend)),
  ]);
  const { serverVersion: version, versionInfo: reported } = info;
  return { version, findings: checkVersion({ catalogue, version, stores: storesOf(target), reported }) };
}

/** The path of a cluster that runs, from a look at it from here; changes nothing. @throws PreconditionError with all that is wrong */
export async function planTarget(target: Target, wanted: Pick<PathRequest, 'to' | 'pins'>): Promise<Path> {
  const [catalogue, facts] = await Promise.all([loadCatalogue(), inspectTarget(target, createToolResolver())]);
  const { version, stores, databases } = presentState(target, facts);
  const path = planPath({ ...wanted, catalogue, from: version, stores, databases });
  return withRollSettings(path, catalogue, rollTargetOf(target, RollPolicy.parse({}), facts));
}

/** The plan of a roll-out, from a look at both clusters from here; changes nothing. @throws PreconditionError with all that is wrong */
export async function planFromClusters(input: RolloutInput): Promise<RolloutPlan> {
  const tools = createToolResolver();
  const [catalogue, staging, live] = await Promise.all([
    loadCatalogue(),
    inspectTarget(input.staging, tools),
    inspectTarget(input.live, tools),
  ]);
  const plan = planRollout({
    catalogue,
    to: input.to,
    pins: input.pins,
    staging: plannedFrom(input.staging, staging, input.policy.roll),
    live: plannedFrom(input.live, live, input.policy.roll),
  });
  // Who starts it is not known here; the plan of the roll-out itself is held against that too.
  return { ...plan, findings: [...plan.findings, ...gateFindings(input.policy.approval, undefined, Date.now())] };
}

/** What will be run to replace the servers of each hop, node by node, as the target's driver says; runs none of it. */
export async function explainReplacements(target: Target, { direction, hops }: Path): Promise<HopReplacements[]> {
  const driver = createDriver(target, createToolResolver());
  const nodes = listedNodes(target) ?? (await driver.listNodes()).filter(({ leaving }) => leaving !== true);
  const order = rollOrder(nodes, direction === 'back' ? 'back' : 'forward');
  const explain = async (node: string, version: string) =>
    driver.explain(node, version).then(
      (commands) => ({ commands }),
      (error: unknown) => ({ commands: [], problem: messageOf(error) }),
    );
  return Promise.all(
    hops.map(async ({ from, to }) => ({
      from,
      to,
      nodes: await Promise.all(
        order.map(async (node) => ({
          node,
          role: nodes.find(({ name }) => name === node)?.role ?? '',
          ...(await explain(node, to)),
        })),
      ),
    })),
  );
}
