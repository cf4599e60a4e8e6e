import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { defaultCacheDir } from '../adapters/cache-dir.js';

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';

export interface Artifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

/** A folder of the cache with these artifacts and all that they need at run time, as jars. @throws CommandError when Maven fails */
export async function jarsOf(name: string, artifacts: readonly Artifact[]): Promise<string> {
  const folder = join(defaultCacheDir(), name);
  if ((await readdir(folder).catch(() => [])).length > 0) return folder;
  await mkdir(defaultCacheDir(), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(work, 'pom.xml'), projectOf(artifacts));
    const jars = join(work, 'jars');
    await runCommand(
      'mvn',
      ['-q', '-B', `${PLUGIN}:copy-dependencies`, `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'],
      {
        cwd: work,
        timeoutMs: 900_000,
      },
    );
    await rename(jars, folder).catch(async (error: unknown) => {
      if ((await readdir(folder).catch(() => [])).length === 0) throw error; // else somebody was faster
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export interface ArchiveArtifact {
  /** Name of the folder in the cache. */
  readonly folder: string;
  /** `group:artifact:version` of a jar. */
  readonly artifact: string;
  /** The compressed tar in it. */
  readonly archive: string;
  /** Whether a folder holds all of what is unpacked. */
  readonly isWhole: (folder: string) => Promise<boolean>;
  /** Which folder of what is unpacked becomes that of the cache; that itself when left out. */
  readonly rootOf?: (unpacked: string) => Promise<string>;
}

/** A folder of the cache with what an archive within a jar holds. @throws CommandError when Maven fails */
export async function unpackedArtifact({
  artifact,
  archive,
  isWhole,
  rootOf,
  ...named
}: ArchiveArtifact): Promise<string> {
  const folder = join(defaultCacheDir(), named.folder);
  if (await isWhole(folder)) return folder;
  await mkdir(defaultCacheDir(), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await runCommand('mvn', ['-q', '-B', `${PLUGIN}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${work}`], {
      cwd: work,
      timeoutMs: 600_000,
    });
    const jar = (await readdir(work)).find((name) => name.endsWith('.jar'));
    if (jar === undefined) throw new Error(`mvn brought no jar of ${artifact}`);
    await runCommand('python3', ['-m', 'zipfile', '-e', join(work, jar), work], { timeoutMs: 120_000 });
    const unpacked = join(work, 'unpacked');
    await mkdir(unpacked);
    await runCommand('tar', ['-xf', join(work, archive), '-C', unpacked], { timeoutMs: 120_000 });
    await rename((await rootOf?.(unpacked)) ?? unpacked, folder).catch(async (error: unknown) => {
      if (!(await isWhole(folder))) throw error; // else somebody was faster
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function projectOf(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(
    ({ group, artifact, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>lab</groupId><artifactId>lab</artifactId><version>1</version>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('\n');
}
