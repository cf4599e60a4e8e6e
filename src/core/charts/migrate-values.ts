import { isChartSince } from './chart-releases.js';
import { DATASTORES_SINCE, KEY_MOVES, NO_SIDECARS_SINCE, REFUSED_SINCE, SECRET_HOOKS_SINCE } from './key-moves.js';
import { leaveValue, moveValue, type Migration } from './migration.js';
import { mainStores, moveStores } from './move-stores.js';
import { moveSubCharts } from './move-sub-charts.js';
import { isMap, mapAt, valueAt, withValue, type Values } from './values.js';

/**
 * The operator's values as a version of the official chart wants them, what was moved, and what only the operator can carry over.
 * Depends on nothing but these: values that are in shape stay as they are, and for an older chart nothing is moved back.
 */
export function migrateValues(
  given: Values,
  chart: { readonly to: string; readonly from?: string | undefined },
): Migration {
  const { to, from } = chart;
  const refused = isChartSince(to, REFUSED_SINCE);
  let migration: Migration = leftSidecars({ values: given, moved: [], left: [] }, to);
  for (const { since, refusedSince, ...move } of KEY_MOVES) {
    if (!isChartSince(to, since)) continue;
    migration = moveValue(migration, {
      ...move,
      refused: refusedSince !== undefined && isChartSince(to, refusedSince),
    });
  }
  if (isChartSince(to, DATASTORES_SINCE)) {
    migration = movePullSecrets(migration, refused);
    const before = migration.values;
    migration = moveSubCharts(moveStores(migration, refused), before, refused);
  }
  if (isChartSince(to, SECRET_HOOKS_SINCE) && from !== undefined && !isChartSince(from, SECRET_HOOKS_SINCE))
    migration = leftSecrets(migration);
  return migration;
}

function leftSidecars(migration: Migration, to: string): Migration {
  const key = 'server.sidecarContainers';
  const sidecars = valueAt(migration.values, key);
  if (!isChartSince(to, NO_SIDECARS_SINCE) || !Array.isArray(sidecars) || sidecars.length === 0) return migration;
  return leaveValue(migration, {
    key,
    why: 'the chart ignores it: the pods would come without these containers',
    action: 'Put them under server.additionalInitContainers, each with "restartPolicy: Always"',
    stops: true,
    source: 'templates/server-deployment.yaml of 0.55.0 and 0.56.0, values.yaml of 0.56.0',
  });
}

function movePullSecrets(migration: Migration, refused: boolean): Migration {
  const key = 'imagePullSecrets';
  const given = valueAt(migration.values, key);
  const source = 'UPGRADING.md (8), templates/_deprecations.tpl of 1.0.0';
  if (!isMap(given)) return migration;
  if (Object.keys(given).length > 0) {
    const action = 'Write a list: "- name: …" for each';
    return leaveValue(migration, { key, why: 'it is a list now, not a map', action, stops: refused, source });
  }
  const move = { from: `${key}: {}`, to: `${key}: []`, refused, source };
  return { ...migration, values: withValue(migration.values, key, []), moved: [...migration.moved, move] };
}

/** A roll-out leaves hooks out, so that the schema is brought once; their Secrets are left out with them. */
function leftSecrets(migration: Migration): Migration {
  const { values } = migration;
  if (valueAt(values, 'schema.useHelmHooks') === false) return migration;
  return mainStores(values).reduce<Migration>((done, key) => {
    const bare = Object.entries(mapAt(values, key)).find(
      ([, driver]) => isMap(driver) && !driver['existingSecret'] && driver['passwordCommand'] === undefined,
    );
    if (bare === undefined) return done;
    return leaveValue(done, {
      key: `${key}.${bare[0]}.existingSecret`,
      why: `since ${SECRET_HOOKS_SINCE} the chart makes the Secret of its password by a hook, which a roll-out leaves out: helm would delete the present one, and new pods would not start`,
      action: 'Put the password into a Secret of your own, and name it there (and its key, by secretKey)',
      stops: true,
      source: 'templates/server-secret.yaml of 1.0.0 and 1.1.0',
    });
  }, migration);
}
