import { z } from 'zod';
import type { DynamicKeys } from './dynamic-keys.js';
import { InvalidRolloutError } from '../errors.js';
import { problemsOf } from '../input/input-problems.js';
import { Rules } from './rules.js';
import { compareVersions, isMinor, isServerVersion, minorOf } from '../version.js';

/** Facts about server releases, read from a file: a new release is new data, not new code. What we do not use is left out. */

const Version = z.string().refine(isServerVersion, 'expected a version in full, such as "1.28.1"');

const SchemaTable = z.record(z.string(), z.record(z.string(), z.string().nullable()).nullable());

const SchemaStepFact = z.object({
  /** Folder of the scripts below `schema/`, such as `postgresql/v12/visibility`. */
  store: z.string(),
  version: z.string(),
  firstInPatch: Version,
  description: z.string(),
  removesOrRewrites: z.array(z.string()),
});

const Minor = z.object({
  minor: z.string().refine(isMinor, 'expected a minor such as "1.28"'),
  patches: z.array(Version).min(1),
  retractedPatches: z.array(Version),
  /** Lowest patch of the minor without a known defect. */
  enterAtPatch: Version,
  /** Lowest patch known to bear data of the next minor; null when nothing was found either way. */
  rollbackTargetMinPatch: Version.nullable(),
  /** Schema of the newest patch, by component and store; null where the store does not exist. */
  schema: SchemaTable,
  schemaChangedInPatch: z.array(z.object({ patch: Version, component: z.string(), from: z.string(), to: z.string() })),
  sqlPlugins: z.array(z.string()),
  goVersionByPatch: z.record(z.string(), z.array(Version)),
  schemaSteps: z.array(SchemaStepFact),
});

const Span = z
  .string()
  .regex(/^\d+\.\d+(\.\.\d+\.\d+)?(, \d+\.\d+(\.\.\d+\.\d+)?)*$/, 'expected minors such as "1.0..1.8, 1.14"');

const DynamicKeySpans = z.object({
  readFrom: z.record(z.string().refine(isMinor, 'expected a minor such as "1.28"'), Version),
  spans: z.record(z.string(), Span),
});

const Releases = z.object({ minors: z.array(Minor).min(1), dynamicKeys: DynamicKeySpans.optional() });

/** What is known of one minor, all patches together. */
export type MinorFacts = z.infer<typeof Minor>;

/** All that is known of server releases: what was read from them, and the rules about them. */
export interface Catalogue {
  /** In order, each with its patches in order. */
  readonly minors: readonly MinorFacts[];
  /** Absent in a file of releases of before it was read. */
  readonly dynamicKeys?: DynamicKeys | undefined;
  readonly rules: Rules;
}

/** The two files of a catalogue, as they were read. */
export interface CatalogueFiles {
  readonly releases: unknown;
  readonly rules: unknown;
}

/** The catalogue with minors and patches in order. @throws InvalidRolloutError with every place that is not as it has to be */
export function parseCatalogue(raw: CatalogueFiles): Catalogue {
  const releases = Releases.safeParse(raw.releases);
  const rules = Rules.safeParse(raw.rules);
  if (!releases.success || !rules.success) {
    const problems = [...problemsBelow('releases', releases.error), ...problemsBelow('rules', rules.error)];
    throw new InvalidRolloutError(problems);
  }
  const minors = releases.data.minors
    .map((facts) => ({ ...facts, patches: facts.patches.toSorted(compareVersions) }))
    .toSorted((a, b) => compareVersions(a.minor, b.minor));
  return { minors, dynamicKeys: releases.data.dynamicKeys, rules: rules.data };
}

function problemsBelow(name: string, error: z.ZodError | undefined) {
  if (error === undefined) return [];
  return problemsOf(error).map(({ path, message }) => ({ path: `${name}${path && `.${path}`}`, message }));
}

/** What is known of a minor, or of the minor of a version in full; undefined when it was never released. */
export function minorFacts(catalogue: Catalogue, versionOrMinor: string): MinorFacts | undefined {
  const minor = minorOf(versionOrMinor);
  return catalogue.minors.find((facts) => facts.minor === minor);
}

/** Whether the catalogue knows this version as a tag, retracted or not. */
export function isKnown(catalogue: Catalogue, version: string): boolean {
  return minorFacts(catalogue, version)?.patches.includes(version) ?? false;
}

/** Whether its makers withdrew this version. */
export function isRetracted(catalogue: Catalogue, version: string): boolean {
  return minorFacts(catalogue, version)?.retractedPatches.includes(version) ?? false;
}

/** The newest patch of a minor that was not retracted; undefined when there is none. */
export function newestPatch(facts: MinorFacts): string | undefined {
  return facts.patches.findLast((patch) => !facts.retractedPatches.includes(patch));
}

/** The Go version that builds this server version, such as `1.26.10`; undefined when not known. */
export function goVersionOf(catalogue: Catalogue, version: string): string | undefined {
  const byPatch = minorFacts(catalogue, version)?.goVersionByPatch ?? {};
  return Object.entries(byPatch).find(([, patches]) => patches.includes(version))?.[0];
}

/** The known versions just below and above one that is not known, and the ends of its minor: for error messages. */
export function nearestVersions(catalogue: Catalogue, version: string): string[] {
  const all = catalogue.minors.flatMap(({ patches }) => patches);
  const below = all.findLast((known) => compareVersions(known, version) <= 0);
  const above = all.find((known) => compareVersions(known, version) > 0);
  return [below, above].filter((known) => known !== undefined);
}
