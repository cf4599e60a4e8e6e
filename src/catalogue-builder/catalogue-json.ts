import { z } from 'zod';
import { InvalidRolloutError } from '../core/errors.js';
import { problemsOf } from '../core/input/input-problems.js';

/** The file of releases with every field, also those that only people read. What is unknown here stays as it is. */

const Versions = z.array(z.string());
const SchemaTable = z.record(z.string(), z.record(z.string(), z.string().nullable()).nullable());
const SchemaChange = z.object({ component: z.string(), from: z.string().nullable(), to: z.string().nullable() });

const RawStep = z.object({
  store: z.string(),
  version: z.string(),
  firstInPatch: z.string(),
  description: z.string(),
  removesOrRewrites: z.array(z.string()),
});

const RawMinor = z.object({
  minor: z.string(),
  firstPatch: z.string(),
  latestPatch: z.string(),
  patches: Versions.min(1),
  extraBuildTags: Versions,
  released: z.object({
    first: z.string().nullable(),
    latest: z.string().nullable(),
    source: z.object({ first: z.string(), latest: z.string() }),
  }),
  patchDates: z.record(z.string(), z.string()),
  schema: SchemaTable,
  schemaChangedInPatch: z.array(
    z.object({ patch: z.string(), component: z.string(), from: z.string(), to: z.string() }),
  ),
  /** Null for the first minor of all. */
  schemaChangedFromPreviousMinor: z.array(SchemaChange).nullable(),
  sqlPlugins: z.array(z.string()),
  esVersionsSupported: z.array(z.string()).nullable(),
  goVersion: z.string(),
  goVersionByPatch: z.record(z.string(), Versions),
  goInstallable: z.union([z.boolean(), z.literal('unknown')]),
  goProxyVersions: Versions,
  goProxyRefused: Versions,
  goProxyLatest: z.string().nullable(),
  retractedPatches: Versions,
  enterAtPatch: z.string(),
  rollbackTargetMinPatch: z.string().nullable(),
  schemaSteps: z.array(RawStep),
  schemaScriptsChangedUnderSameNumber: z.array(
    z.object({ patch: z.string(), store: z.string(), version: z.string(), effect: z.string() }),
  ),
  notes: z.array(z.object({ fact: z.string(), source: z.string() })),
  goProxyLatestSameSchema: z.boolean().nullable(),
});

const RawCatalogue = z.object({
  generatedFrom: z.object({ goModuleProxy: z.object({ versionsReadFromProxy: Versions }) }),
  minors: z.array(RawMinor).min(1),
  /** By folder of the scripts and schema version; see HashHistory. */
  scriptHashes: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  /** See DynamicKeys of core. */
  dynamicKeys: z
    .object({ readFrom: z.record(z.string(), z.string()), spans: z.record(z.string(), z.string()) })
    .optional(),
});

export type RawMinor = z.infer<typeof RawMinor>;
export type RawCatalogue = z.infer<typeof RawCatalogue>;

/** The file as it stands, with fields in their order. @throws InvalidRolloutError with every place that is not as it has to be */
export function readCatalogueJson(text: string): RawCatalogue {
  const raw: unknown = JSON.parse(text);
  if (isRawCatalogue(raw)) return raw;
  const problems = problemsOf(RawCatalogue.safeParse(raw).error ?? new z.ZodError([]));
  throw new InvalidRolloutError(problems.map(({ path, message }) => ({ path: `releases.${path}`, message })));
}

/** Not what zod gives back: that has the known fields first and the others last, so that writing it would move every line. */
function isRawCatalogue(raw: unknown): raw is RawCatalogue {
  return RawCatalogue.safeParse(raw).success;
}

/** The text of the file, in the style that it has always had: one space a level, and nothing but ASCII. */
export function writeCatalogueJson(catalogue: RawCatalogue): string {
  const text = JSON.stringify(catalogue, null, 1);
  return text.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
