import { FAILS_SOURCE } from './key-moves.js';
import { leaveValue, moveValue, type Migration, type ValueLeft } from './migration.js';
import { hasOldStores, isBundled, isSearchBundled } from './move-stores.js';
import { valueAt, withoutValue, type Values } from './values.js';

/** Charts that came with those up to 0.74.0, and whether its values.yaml has them on. */
const SUB_CHARTS = {
  cassandra: true,
  mysql: false,
  postgresql: false,
  elasticsearch: true,
  prometheus: true,
  grafana: true,
};
type SubChart = keyof typeof SUB_CHARTS;
const NAMES = Object.keys(SUB_CHARTS).filter((name): name is SubChart => name in SUB_CHARTS);

/**
 * Takes out the keys of sub-charts that are off, and names those that are on: with an upgrade to a chart without them helm would
 * delete what they brought. `before`: the values before their stores were moved.
 */
export function moveSubCharts(migration: Migration, before: Values, refused: boolean): Migration {
  return NAMES.reduce((done, name) => {
    if (!isOn(name, before)) return moveValue(done, { from: name, refused, source: FAILS_SOURCE });
    const left = leaveValue(done, leftOf(name));
    return left.left.at(-1)?.stops === true ? left : { ...left, values: withoutValue(left.values, name) };
  }, migration);
}

function isOn(name: SubChart, before: Values): boolean {
  const isOld = hasOldStores(before);
  if (name === 'cassandra') return isOld ? isBundled(before, undefined) : said(name, before);
  if (name === 'elasticsearch') return isOld ? isSearchBundled(before) : said(name, before);
  return isOld ? (valueAt(before, `${name}.enabled`) ?? SUB_CHARTS[name]) === true : said(name, before);
}

/** Values that have their stores in the new shape were not written for a chart with sub-charts, unless they say so. */
function said(name: SubChart, before: Values): boolean {
  return valueAt(before, `${name}.enabled`) === true;
}

function leftOf(name: SubChart): ValueLeft {
  const common = { key: `${name}.enabled`, source: FAILS_SOURCE };
  if (name === 'prometheus' || name === 'grafana') {
    return {
      ...common,
      why: `the ${name} that came with the chart goes with this upgrade`,
      action: `Have one of your own before; or say "${name}: { enabled: false }" where there is none`,
      stops: false,
    };
  }
  return {
    ...common,
    why: `the ${name} that came with the chart, and is on unless your values say "enabled: false", would be deleted by this upgrade, with its data`,
    action: `Move its data to a database of your own first, with the present chart, and say "${name}: { enabled: false }"`,
    stops: true,
  };
}
