import { compareVersions } from '../../core/version.js';
import type { ServerTool } from './tools.js';

/** A program that this project runs and Temporal publishes. */
export type Program = ServerTool | 'temporal';

/** Folder of a release's source that holds the schema scripts of all stores. */
export const SCRIPTS = 'schema';

/** A published set of programs: one archive, one Go module, one folder of the cache. */
export interface Release {
  /** Folder of the cache that holds nothing but this release. */
  readonly folder: string;
  readonly version: string;
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly module: string;
  readonly archive: string;
  /** Programs with the package that each is built from, and so with the name that `go install` gives it. */
  readonly programs: readonly { readonly name: Program; readonly package: string }[];
  readonly buildTags: readonly string[];
}

/** The release of a server version, for the machine that this runs on. */
export function serverRelease(version: string): Release {
  return {
    folder: `temporal-server-${version}`,
    version,
    repository: 'temporalio/temporal',
    module: 'go.temporal.io/server',
    archive: `temporal_${version}_${platform()}.tar.gz`,
    programs: [
      { name: 'temporal-server', package: 'cmd/server' },
      { name: 'temporal-sql-tool', package: 'cmd/tools/sql' },
      { name: 'temporal-cassandra-tool', package: 'cmd/tools/cassandra' },
    ],
    // Measured: 1.20 to 1.27 build with today's Go and protobuf libraries only with this tag.
    buildTags: compareVersions(version, '1.28.0') < 0 ? ['protolegacy'] : [],
  };
}

/** The release of a version of the Temporal CLI, for the machine that this runs on. */
export function cliRelease(version: string): Release {
  return {
    folder: `temporal-cli-${version}`,
    version,
    repository: 'temporalio/cli',
    module: 'github.com/temporalio/cli',
    archive: `temporal_cli_${version}_${platform()}.tar.gz`,
    programs: [{ name: 'temporal', package: 'cmd/temporal' }],
    buildTags: [],
  };
}

/** Go's names for system and processor; the archives carry them. */
function platform(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return `${process.platform}_${arch}`;
}
