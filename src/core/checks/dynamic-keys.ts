import type { Catalogue } from '../catalogue/catalogue.js';
import { dynamicKeysOf } from '../catalogue/dynamic-keys.js';
import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { minorOf } from '../version.js';
import { dynamicKeys, placesInWords, placesWhere } from './placed-keys.js';
import { isKeyOf } from './settings.js';
import { oldestVersion } from './who-runs.js';
import { listed } from './words.js';

/** Every key of the dynamic configuration that is set is one that servers read, before the hop and after it. */
export const checkDynamicKeys: Check = ({ cluster }, { catalogue, hop }) => {
  const from = hop?.from ?? oldestVersion(cluster);
  const known = from === undefined ? undefined : dynamicKeysOf(catalogue.dynamicKeys, from);
  if (from === undefined || known === undefined) return [];
  const after = (hop === undefined ? undefined : dynamicKeysOf(catalogue.dynamicKeys, hop.to)) ?? known;
  const places = placesWhere(
    cluster,
    dynamicKeys,
    (key) => !(known.has(key.toLowerCase()) && after.has(key.toLowerCase())) && !hasRule(catalogue, key),
  );
  const byKey = Map.groupBy(places, ({ key }) => key);
  return [...byKey].map(([key, set]): Finding => {
    const where = placesInWords(set);
    const [before, then] = [known.has(key.toLowerCase()), after.has(key.toLowerCase())];
    const versions = [...new Set([minorOf(from), ...(hop === undefined ? [] : [minorOf(hop.to)])])];
    const source = `keys in the source of ${listed(versions.map((minor) => catalogue.dynamicKeys?.readFrom[minor] ?? minor))} (catalogue)`;
    if (before) {
      return {
        id: 'setting-removed-set',
        severity: 'warn',
        found: `${key} is set, and servers of ${versions.at(-1)} do not read it any more. It stands in ${where}`,
        expected: 'keys that the servers of the coming version read',
        action: `Look in the release notes for what takes its place, and take it out once all servers are of ${versions.at(-1)}`,
        source,
      };
    }
    if (then) {
      return {
        id: 'setting-begins-set',
        severity: 'note',
        found: `${key} is set; servers of ${versions[0]} do not read it, those of ${versions.at(-1)} do: ${where}`,
        action: 'Make sure that it is meant: with this hop it takes effect',
        source,
      };
    }
    return {
      id: 'setting-unknown-set',
      severity: 'note',
      found: `${key} is set, which no server of ${listed(versions)} reads: ${where}`,
      action: 'Correct its name, or take it out',
      source,
    };
  });
};

/** A rule knows more of the key than that it comes or goes, and speaks by itself. */
function hasRule({ rules }: Catalogue, key: string): boolean {
  return rules.settings.some(
    (rule) => rule.where === 'dynamic' && ['removed', 'renamed'].includes(rule.change) && isKeyOf(rule, key),
  );
}
