import { join } from 'node:path';
import { targetDir } from '../adapters/data-dir.js';
import { configuredNodes } from '../adapters/dynamic-config/configured-nodes.js';
import { applySettings, takeBackSettings, type SettingsDone } from '../adapters/dynamic-config/roll-settings.js';
import type { Driver } from '../adapters/driver.js';
import { createDriver } from '../adapters/open-target.js';
import { readSettings } from '../adapters/read-settings.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { HopPlace, RollSettingsResult, TargetActivities } from '../contract/activities.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import { planRollSettings } from '../core/planning/roll-settings.js';
import { rollTargetOf } from '../core/planning/roll-target.js';
import { currentWork } from './guard.js';

export interface RollSettingsDependencies {
  readonly tools: ToolResolver;
  readonly catalogue: Catalogue;
}

/** Activities on the dynamic configuration of a target while its servers are replaced. */
export const createRollSettingsActivities = ({
  tools,
  catalogue,
}: RollSettingsDependencies): Pick<TargetActivities, 'applyRollSettings' | 'takeBackRollSettings'> => ({
  async applyRollSettings({ roll, direction, ...place }) {
    const { target, from, to } = place;
    const [stopping, starting] = direction === 'forward' ? [from, to] : [to, from];
    const driver = createDriver(target, tools);
    const found = await driver.listNodes();
    const nodes = configuredNodes(target, found);
    // Not the keys that are set: those of an earlier try of this very roll are among them. What is kept is seen in each file.
    const { connectionAgeMs } = await readSettings(driver, target, found);
    const planned = planRollSettings({
      ...rollTargetOf(target, roll, { nodes: found, dynamicConfig: { connectionAgeMs } }),
      catalogue,
      stopping,
      starting,
    });
    // With none, too: what an earlier roll left behind is taken back.
    const { settings } = planned;
    const done = await (driver.settings?.apply(settings, currentWork()) ??
      applySettings({ record: recordOf(place), nodes, settings }, currentWork()));
    return {
      ...resultOf(done),
      lines: appliedLines(done, settings.length),
      limits: [
        ...planned.limits.map(({ text }) => text),
        ...done.unreached.map(({ node, reason }) => `${node} stops by its own settings: ${reason}`),
      ],
    };
  },

  async takeBackRollSettings(place) {
    const driver = createDriver(place.target, tools);
    const done = await (driver.settings?.takeBack(currentWork()) ?? takeBackFromFiles(driver, place));
    const limits = (await driver.endRoll?.(currentWork())) ?? [];
    return { ...resultOf(done), lines: takenBackLines(done), limits: [...limits] };
  },
});

async function takeBackFromFiles(driver: Driver, place: HopPlace): Promise<SettingsDone> {
  const nodes = configuredNodes(place.target, await driver.listNodes());
  return takeBackSettings({ record: recordOf(place), nodes }, currentWork());
}

/** One for a target and all hops: what a roll that was broken off left is found by the next one. */
function recordOf({ dataDir, rolloutId, target }: HopPlace): string {
  return join(targetDir(dataDir, rolloutId, target.name), 'roll-settings.json');
}

function resultOf({ files, nodes }: SettingsDone): Pick<RollSettingsResult, 'keys' | 'nodes'> {
  return {
    keys: [...new Set(files.flatMap(({ keys }) => keys))],
    nodes: Object.fromEntries(nodes.map(({ node, pickedUp }) => [node, pickedUp])),
  };
}

function appliedLines(done: SettingsDone, planned: number): string[] {
  if (planned === 0) return ['no settings for the roll'];
  const written = done.files.filter(({ keys }) => keys.length > 0);
  return [
    ...written.map(({ path, keys }) => `${keys.length} settings for the roll in ${path}`),
    ...done.files.flatMap(({ path, kept }) => kept.map((key) => `${key} stays as ${path} has it`)),
    ...pickedUpLines(done),
  ];
}

function takenBackLines(done: SettingsDone): string[] {
  const changed = done.files.filter(({ keys }) => keys.length > 0);
  if (changed.length === 0) return ['no settings of the roll to take back'];
  return [...changed.map(({ path }) => `settings of the roll taken out of ${path}`), ...pickedUpLines(done)];
}

function pickedUpLines({ nodes }: SettingsDone): string[] {
  const named = (state: SettingsDone['nodes'][number]['pickedUp']) =>
    nodes.filter(({ pickedUp }) => pickedUp === state).map(({ node }) => node);
  const [seen, waited] = [named('seen'), named('waited')];
  return [
    ...(seen.length === 0 ? [] : [`picked up, by the logs of ${seen.join(', ')}`]),
    ...(waited.length === 0 ? [] : [`waited for two looks at the file, not seen in a log: ${waited.join(', ')}`]),
  ];
}
