import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { NodeConfiguration, PlacedKey } from '../survey/node-configuration.js';
import { groupBy, listed } from './words.js';

/** A key where it stands, with the processes that read that file. */
export interface Place extends PlacedKey {
  readonly nodes: readonly string[];
}

export function staticKeys({ settings }: NodeConfiguration): readonly PlacedKey[] {
  return settings;
}

export function dynamicKeys({ dynamic }: NodeConfiguration): readonly PlacedKey[] {
  return 'seen' in dynamic && dynamic.seen !== 'none' ? dynamic.seen.keys : [];
}

/** Where keys are set that `isWanted`. Processes that share a file are named together. */
export function placesWhere(
  cluster: ClusterSurvey,
  keysOf: (configuration: NodeConfiguration) => readonly PlacedKey[],
  isWanted: (key: string) => boolean,
): readonly Place[] {
  const set = cluster.processes.flatMap(({ name, configuration }) =>
    'seen' in configuration
      ? keysOf(configuration.seen)
          .filter(({ key }) => isWanted(key))
          .map((placed) => ({ name, placed }))
      : [],
  );
  const groups = groupBy(
    set,
    ({ placed }) => JSON.stringify(placed),
    ({ name }) => name,
  );
  return [...groups].flatMap(([text, nodes]) => {
    const placed = set.find((one) => JSON.stringify(one.placed) === text)?.placed;
    return placed === undefined ? [] : [{ ...placed, nodes }];
  });
}

export function placesInWords(places: readonly Place[]): string {
  return listed(places.map(({ file, line, nodes }) => `${file}, line ${line} (${listed(nodes)})`));
}
