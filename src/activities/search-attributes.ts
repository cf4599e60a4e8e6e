import { mkdir } from 'node:fs/promises';
import { readSearchAttributes } from '../adapters/cluster/search-attributes.js';
import { withTarget } from '../adapters/cluster/target-connection.js';
import type { HopPlace, SearchAttributesResult } from '../contract/activities.js';
import { messageOf } from '../core/errors.js';
import {
  lostSearchAttributes,
  searchAttributesText,
  type SearchAttributes,
} from '../core/running-work/search-attributes.js';
import { currentWork } from './guard.js';
import { keepOrMake, readKept, snapshotFiles } from './snapshot-files.js';

/** Visibility shows a close a moment later: what closed just now would only be counted after the hop. */
const SHOWN_WITHIN_MS = 60_000;

interface Recorded {
  /** Workflows that closed before are counted, ISO 8601. */
  readonly at: string;
  readonly namespaces: SearchAttributes;
}

/**
 * Writes down the custom search attributes of a target before a hop; once for each try of it. A cluster that does not tell them is
 * no reason not to upgrade it. @returns a line for people
 */
export async function recordSearchAttributes(place: HopPlace): Promise<string> {
  const { directory, searchAttributes } = snapshotFiles(place);
  await mkdir(directory, { recursive: true });
  try {
    const { namespaces } = await keepOrMake<Recorded>(searchAttributes, async () => {
      const at = new Date(Date.now() - SHOWN_WITHIN_MS);
      return { at: at.toISOString(), namespaces: await read(place, at) };
    });
    return searchAttributesText(namespaces);
  } catch (error) {
    currentWork().signal?.throwIfAborted();
    return `search attributes not seen: ${messageOf(error)}`;
  }
}

/** Asks the same after the hop. Undefined where nothing was written down: an earlier release began this hop. */
export async function compareSearchAttributes(place: HopPlace): Promise<SearchAttributesResult | undefined> {
  const { searchAttributes } = snapshotFiles(place);
  const before = await readKept<Recorded>(searchAttributes);
  if (before === undefined) return undefined;
  const at = new Date(before.at);
  const after = await read(place, at);
  return {
    compared: searchAttributesText(before.namespaces),
    lost: lostSearchAttributes(before.namespaces, after, Date.now() - at.getTime()),
  };
}

function read({ target }: HopPlace, closedBefore: Date): Promise<SearchAttributes> {
  return withTarget(target.connection, (frontend) => readSearchAttributes(frontend, closedBefore, currentWork()));
}
