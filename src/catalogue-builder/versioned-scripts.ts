import { z } from 'zod';
import { PreconditionError } from '../core/errors.js';
import { compareSchemaVersions } from '../core/version.js';
import { namesBelow, type ReleaseFiles } from './release-files.js';

/** One step of a store's schema, as its manifest describes it. */
export interface VersionedScripts {
  /** Folder below `schema/`, such as `postgresql/v12/visibility`. */
  readonly store: string;
  readonly version: string;
  readonly description: string;
  /** Text of the scripts that the manifest names, in its order; the schema tool runs no others. */
  readonly scripts: readonly string[];
}

const Manifest = z.object({
  CurrVersion: z.string(),
  Description: z.string(),
  SchemaUpdateCqlFiles: z.array(z.string()).nullable(),
});

/** Schema versions for which a store has a folder, lowest first. */
export function versionedFolders(files: ReleaseFiles, store: string): string[] {
  return namesBelow(files, `schema/${store}/versioned`)
    .flatMap((name) => /^v(\d+(?:\.\d+)?)$/.exec(name)?.[1] ?? [])
    .toSorted(compareSchemaVersions);
}

/**
 * Reads the steps of a store, lowest version first.
 * @throws PreconditionError naming the manifest or script that is missing or cannot be read
 */
export function readVersionedScripts(files: ReleaseFiles, store: string): VersionedScripts[] {
  return versionedFolders(files, store).map((version) => {
    const folder = `schema/${store}/versioned/v${version}`;
    const path = `${folder}/manifest.json`;
    const manifest = parseManifest(path, textOf(files, path));
    if (manifest.CurrVersion !== version) {
      throw new PreconditionError(`${path} says version ${manifest.CurrVersion}, but its folder is v${version}`);
    }
    const scripts = (manifest.SchemaUpdateCqlFiles ?? []).map((name) => textOf(files, `${folder}/${name}`));
    return { store, version, description: manifest.Description, scripts };
  });
}

function parseManifest(path: string, text: string): z.infer<typeof Manifest> {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch (cause) {
    throw new PreconditionError(
      `${path} is not a manifest with CurrVersion, Description and SchemaUpdateCqlFiles`,
      {},
      { cause },
    );
  }
}

function textOf(files: ReleaseFiles, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new PreconditionError(`the release has no file ${path}`);
  return text;
}
