import { PreconditionError } from '../core/errors.js';
import { compareVersions } from '../core/version.js';
import type { ReleaseFiles } from './release-files.js';

/** Facts that stand in Go files and in `go.mod`: read by their text, as nothing is compiled. */

/** The Go that builds the release: `go`, or `toolchain` where that asks for a newer one. */
export function readGoVersion(goMod: string): string {
  const go = /^go (\d+\.\d+(?:\.\d+)?)$/m.exec(goMod)?.[1];
  if (go === undefined) throw new PreconditionError('go.mod has no line "go" with a version');
  const toolchain = /^toolchain go(\d+\.\d+(?:\.\d+)?)\S*$/m.exec(goMod)?.[1];
  return toolchain !== undefined && compareVersions(toolchain, go) > 0 ? toolchain : go;
}

/** Versions, both ends included, that the makers take back. */
export interface Retraction {
  readonly from: string;
  readonly to: string;
}

/** @throws PreconditionError naming a line that is neither a version nor a range */
export function readRetractions(goMod: string): Retraction[] {
  const plain = goMod.replace(/\/\/[^\n]*/g, '');
  const blocks = [...plain.matchAll(/^retract\s*\(([^)]*)\)/gm)].flatMap(([, lines = '']) => lines.split('\n'));
  const single = [...plain.matchAll(/^retract\s+([^(\s].*)$/gm)].map(([, line = '']) => line);
  return [...blocks, ...single]
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, one, from, to] =
        /^(?:v(\d+\.\d+\.\d+)|\[\s*v(\d+\.\d+\.\d+)\s*,\s*v(\d+\.\d+\.\d+)\s*\])$/.exec(line) ?? [];
      if (one !== undefined) return { from: one, to: one };
      if (from !== undefined && to !== undefined) return { from, to };
      throw new PreconditionError(`go.mod retracts ${line}; expected a version or a range such as [v1.2.0, v1.2.3]`);
    });
}

const PLUGINS = 'common/persistence/sql/sqlplugin/';

/** Names under which SQL plugins are registered; those for logging in are none (1.17). @throws PreconditionError when a name cannot be made out, or there is none */
export function readSqlPlugins(files: ReleaseFiles): string[] {
  const sources = [...files].filter(([path]) => path.startsWith(PLUGINS));
  const names = sources.flatMap(([path, text]) =>
    [...text.matchAll(/\bsql\.RegisterPlugin\(\s*("[^"]*"|\w+)\s*,/g)].map(([, value = '']) => {
      const literal = /^"([^"]*)"$/.exec(value)?.[1];
      if (literal !== undefined) return literal;
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      const constant = sources
        .filter(([other]) => other.startsWith(folder))
        .flatMap(
          ([, source]) => new RegExp(`^\\s*(?:const\\s+)?${value}\\s*=\\s*"([^"]+)"`, 'm').exec(source)?.[1] ?? [],
        );
      if (constant[0] !== undefined) return constant[0];
      throw new PreconditionError(`${path} registers a plugin by the name ${value}, which is no constant beside it`);
    }),
  );
  if (names.length === 0) throw new PreconditionError(`no SQL plugin is registered below ${PLUGINS}`);
  return [...new Set(names)].toSorted();
}

/** Values of the setting `version` of Elasticsearch that the client is made for; null when there is no such choice. */
export function readElasticsearchVersions(files: ReleaseFiles): string[] | null {
  const [, source] = [...files].find(([path]) => /elasticsearch\/(client\/)?client_factory\.go$/.test(path)) ?? [];
  if (source === undefined) return null;
  const cases = [...source.matchAll(/^\s*case\s+([^:\n]+):/gm)].flatMap(([, values = '']) => values.split(','));
  const versions = cases.flatMap((value) => /^\s*"(v\d+)"\s*$/.exec(value)?.[1] ?? []);
  return versions.length === 0 ? null : [...new Set(versions)].toSorted();
}
