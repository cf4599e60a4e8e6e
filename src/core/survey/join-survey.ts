import type { ClusterSurvey } from './cluster-survey.js';
import type { Seen } from './seen.js';
import type { StoreSurvey } from './store-survey.js';
import type { Survey } from './survey.js';

/** Both halves of a survey, each with what only the other could see. */
export interface SurveyHalves extends Omit<Survey, 'stores'> {
  readonly stores: { readonly default: StoreSurvey; readonly visibility: StoreSurvey };
}

/** One survey out of both halves: a store learns how many connections the processes may open to it. */
export function joinSurvey({ stores, ...survey }: SurveyHalves): Survey {
  const pooled = (part: 'default' | 'visibility'): StoreSurvey => ({
    ...stores[part],
    maxConns: sumOfPools(survey.cluster, part),
  });
  return { ...survey, stores: { default: pooled('default'), visibility: pooled('visibility') } };
}

/** The processes are replaced one at a time, an old one stopped before its new one is started: the sum stays what it is. */
function sumOfPools({ processes }: ClusterSurvey, part: 'default' | 'visibility'): Seen<number> {
  let sum = 0;
  for (const { name, configuration } of processes) {
    if ('unseen' in configuration) return { unseen: `the configuration of ${name}: ${configuration.unseen}` };
    const maxConns = configuration.seen.stores[part]?.maxConns;
    if (maxConns === undefined)
      return { unseen: `the configuration of ${name} does not say maxConns of the ${part} store` };
    sum += maxConns;
  }
  return { seen: sum };
}
