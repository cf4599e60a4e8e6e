import type { Catalogue } from '../core/catalogue/catalogue.js';
import type { Target } from '../core/input/input.js';
import type { Hop } from '../core/plan.js';
import { schemaFolder } from '../core/schema/schema-version.js';
import { mapStoresAsync, ofPart } from '../core/stores.js';
import { joinSurvey } from '../core/survey/join-survey.js';
import { storesOf } from '../core/planning/present-state.js';
import type { Survey } from '../core/survey/survey.js';
import { surveyCluster } from './cluster/survey-cluster.js';
import { withTarget } from './open-target.js';
import type { Work } from './store.js';
import type { ToolResolver } from './tools/tools.js';

export interface TargetSurveyOptions {
  readonly catalogue: Catalogue;
  readonly tools: ToolResolver;
  /** The hop that is about to be done; none when a cluster is looked at for its own sake. */
  readonly hop?: Hop | undefined;
  readonly work?: Work;
}

/**
 * Looks at all of a target, cluster and databases side by side, without changing anything. Never throws for what the target
 * says or does not say: that part is unseen.
 */
export async function surveyTarget(target: Target, options: TargetSurveyOptions): Promise<Survey> {
  const { tools, hop, work = {} } = options;
  const [cluster, stores] = await Promise.all([
    surveyCluster(target, tools, { versions: hop === undefined ? [] : [hop.to], work }),
    surveyStores(target, options),
  ]);
  return joinSurvey({ target: target.name, takenAt: new Date().toISOString(), cluster, stores });
}

async function surveyStores(target: Target, { catalogue, tools, hop }: TargetSurveyOptions) {
  const kinds = storesOf(target);
  return withTarget(target, tools, async ({ stores }) => {
    return mapStoresAsync(stores, (store, part) =>
      store.survey({
        folder: schemaFolder(catalogue, ofPart(kinds, part), part),
        schemaTo: hop?.schema[part]?.to,
        backupDir: target.backupDir,
      }),
    );
  });
}
