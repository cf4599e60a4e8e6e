import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The schema numbers of a made-up release, laid out as releases since 1.24 are. */
export interface MadeRelease {
  readonly cassandra: string;
  readonly temporal: string;
  readonly visibility: string;
  readonly template: number;
  readonly goMod: string;
}

/** As 1.32 has them. */
export const MADE: MadeRelease = {
  cassandra: '1.13',
  temporal: '1.19',
  visibility: '1.14',
  template: 14,
  goMod: 'module go.temporal.io/server\n\ngo 1.26.8\n',
};

/**
 * Files that stand for a release of the server: constants, the folders of each store's schema versions with a
 * statement each, plugins. `more` adds files or takes their place.
 */
export function madeSource(
  release: MadeRelease = MADE,
  more: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const { cassandra, temporal, visibility, template, goMod } = release;
  const constants = (name: string) =>
    `package ${name}\n\n// Version is the release\nconst Version = "${temporal}"\n\nconst VisibilityVersion = "${visibility}"\n`;
  const plugin = (names: readonly string[]) =>
    [
      'const (',
      ...names.map((name, index) => `\tPluginName${index || ''} = "${name}"`),
      ')',
      'func init() {',
      ...names.map((_, index) => `\tsql.RegisterPlugin(PluginName${index || ''}, &plugin{})`),
      '}',
    ].join('\n');
  const plugins = 'common/persistence/sql/sqlplugin';
  return new Map(
    Object.entries({
      'go.mod': goMod,
      'schema/cassandra/version.go': `package cassandra\n\nconst Version = "${cassandra}"\n`,
      ...scripts('cassandra/temporal', cassandra),
      'schema/mysql/v8/version.go': constants('v8'),
      ...scripts('mysql/v8/temporal', temporal),
      ...scripts('mysql/v8/visibility', visibility),
      'schema/postgresql/v12/version.go': constants('v12'),
      ...scripts('postgresql/v12/temporal', temporal),
      ...scripts('postgresql/v12/visibility', visibility),
      'schema/sqlite/version.go': 'package sqlite\n\nconst Version = "0.11"\n\nconst VisibilityVersion = "0.1"\n',
      [`schema/elasticsearch/visibility/versioned/v${template}/index_template_v7.json`]: '{}',
      [`${plugins}/mysql/plugin.go`]: plugin(['mysql8']),
      [`${plugins}/postgresql/plugin.go`]: plugin(['postgres12', 'postgres12_pgx']),
      [`${plugins}/sqlite/plugin.go`]: plugin(['sqlite']),
      'common/persistence/visibility/store/elasticsearch/client/client_factory.go':
        'switch config.Version {\n\tcase "v8", "v7", "":\n\t\treturn\n}\n',
      'common/dynamicconfig/constants.go':
        'FrontendRPS = NewGlobalIntSetting(\n\t"frontend.rps",\n\t2400,\n\t`as it was with "quotes"`,\n)\n// once "frontend.gone"\n',
      'components/callbacks/config.go':
        'var Timeout = dynamicconfig.NewDestinationDurationSetting(\n\t"component.callbacks.request.timeout",\n\ttime.Second*10,\n)\n',
      ...more,
    }),
  );
}

/** The folder of a schema version with its manifest and one script. */
export function step(store: string, version: string, script = `-- ${version}\nSELECT 1;`): Record<string, string> {
  const folder = `schema/${store}/versioned/v${version}`;
  const manifest = { CurrVersion: version, Description: `step ${version}`, SchemaUpdateCqlFiles: ['step.sql'] };
  return { [`${folder}/manifest.json`]: JSON.stringify(manifest), [`${folder}/step.sql`]: script };
}

/** A folder for each schema version up to the highest. */
function scripts(store: string, highest: string): Record<string, string> {
  const last = Number(highest.split('.')[1]);
  return Object.assign({}, ...Array.from({ length: last + 1 }, (_, minor) => step(store, `1.${minor}`))) as Record<
    string,
    string
  >;
}

export async function writeSource(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
