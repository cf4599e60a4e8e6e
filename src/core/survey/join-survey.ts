import type { ClusterSurvey } from './cluster-survey.js';
import type { Seen } from './seen.js';
import { mapStores, type PerStore, type StorePart } from '../stores.js';
import type { StoreSurvey } from './store-survey.js';
import type { Survey } from './survey.js';

/** Both halves of a survey, each with what only the other could see. */
export interface SurveyHalves extends Omit<Survey, 'stores'> {
  readonly stores: PerStore<StoreSurvey>;
}

/** One survey out of both halves: a store learns how many connections the processes may open to it. */
export function joinSurvey({ stores, ...survey }: SurveyHalves): Survey {
  const pooled = (store: StoreSurvey, part: StorePart): StoreSurvey => ({
    ...store,
    maxConns: sumOfPools(survey.cluster, part),
  });
  return { ...survey, stores: mapStores(stores, pooled) };
}

/** The processes are replaced one at a time, an old one stopped before its new one is started: the sum stays what it is. */
function sumOfPools({ processes }: ClusterSurvey, part: StorePart): Seen<number> {
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
