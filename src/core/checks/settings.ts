import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { Finding } from '../finding.js';
import type { SettingRule } from '../catalogue/rules.js';
import type { Check } from '../survey/survey.js';
import { compareVersions } from '../version.js';
import { dynamicKeys, placesInWords, placesWhere, staticKeys, type Place } from './placed-keys.js';
import { oldestVersion } from './who-runs.js';
import { listed, unseenOf } from './words.js';

/** No setting is set that the coming hop takes away or renames, or that the running version does not know any more. */
export const checkSettings: Check = ({ cluster }, { catalogue, hop }) => {
  const version = hop?.from ?? oldestVersion(cluster);
  if (version === undefined) return [];
  return catalogue.rules.settings.flatMap((rule) => {
    const set = placesOf(cluster, rule);
    return set.length === 0 ? [] : findingsOf(rule, set, { from: version, to: hop?.to });
  });
};

/** Where the key of a rule is set. */
function placesOf(cluster: ClusterSurvey, rule: SettingRule): readonly Place[] {
  if (rule.change !== 'removed' && rule.change !== 'renamed') return [];
  const keysOf = rule.where === 'static' ? staticKeys : rule.where === 'dynamic' ? dynamicKeys : undefined;
  return keysOf === undefined ? [] : placesWhere(cluster, keysOf, (key) => isKeyOf(rule, key));
}

/** `*` stands for one name. Keys of the dynamic configuration are the same in any case of letters. */
export function isKeyOf({ key: pattern, where }: SettingRule, key: string): boolean {
  if (where === 'dynamic') return key.toLowerCase() === pattern.toLowerCase();
  const [wanted, found] = [pattern.split('.'), key.split('.')];
  return wanted.length === found.length && wanted.every((part, index) => part === '*' || part === found[index]);
}

function findingsOf(
  rule: SettingRule,
  places: readonly Place[],
  { from, to }: { readonly from: string; readonly to?: string | undefined },
): Finding[] {
  const { key, since, noticeFrom, fact, action, change, replacement, source } = rule;
  const where = placesInWords(places);
  if (compareVersions(since, from) <= 0) {
    const found = `${key} is set, which servers since ${since} do not read: ${where}`;
    return [
      {
        id: 'setting-unknown-set',
        severity: 'note',
        found,
        ...(action === undefined ? {} : { action: sentence(action) }),
        source,
      },
    ];
  }
  const gone = to !== undefined && compareVersions(since, to) <= 0;
  const announced = noticeFrom !== undefined && compareVersions(noticeFrom, to ?? from) <= 0;
  if (!gone && !announced) return [];
  return [
    {
      id: `setting-${change}-set`,
      severity: 'warn',
      found: `${key} is set and is ${change} in ${since}: ${fact}. It stands in ${where}`,
      expected: replacement === undefined ? 'that it is not set' : `${replacement} in its place`,
      action: sentence(action ?? 'take it out'),
      source,
    },
  ];
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The configuration of each process can be read by this worker. */
export const checkConfigurationSeen: Check = ({ cluster: { processes } }) => {
  const files = [
    ...unseenOf(
      processes,
      ({ configuration }) => configuration,
      ({ name }) => name,
    ),
  ].map(([reason, names]): Finding => ({
    id: 'configuration-unseen',
    severity: 'warn',
    found: `the configuration of ${listed(names)} is not known: ${reason}`,
    expected: 'files that this worker can read as the server does',
    action: 'Compare shard count, stores and settings by hand, or let the worker read them',
    source: 'configuration of each process',
  }));
  const dynamic = unseenOf(
    processes,
    ({ configuration }) => ('seen' in configuration ? configuration.seen.dynamic : { seen: 'none' }),
    ({ name }) => name,
  );
  return [
    ...files,
    ...[...dynamic].map(([reason, names]): Finding => ({
      id: 'dynamic-configuration-unseen',
      severity: 'warn',
      found: `the dynamic configuration of ${listed(names)} is not known: ${reason}`,
      expected: 'a file that this worker can read',
      action: 'Compare its keys with the settings of the plan by hand, or let the worker read it',
      source: 'dynamicConfigClient.filepath of each process',
    })),
  ];
};
