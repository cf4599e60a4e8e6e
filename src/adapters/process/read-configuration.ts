import { readFile, readlink } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import type { FoundDynamicConfig } from '../../core/cluster.js';
import { codeOf } from '../../core/errors.js';
import type { ServerNode } from '../../core/input/input.js';
import type { NodeConfiguration, PlacedKey } from '../../core/survey/node-configuration.js';
import type { Seen } from '../../core/survey/seen.js';
import { configurationFacts } from './configuration-facts.js';
import { type ConfigurationFile, NotReadableError, parseConfiguration } from './parse-configuration.js';

/**
 * Reads the configuration of one node as its server does: `base.yaml`, and `ENV.yaml` over it (common/config/loader.go).
 * `pid` is the process that runs it, which tells what a relative path means; `found` is what its driver says of its dynamic
 * configuration, where the process sees other paths than the worker. Never throws.
 */
export async function readConfiguration(
  node: ServerNode,
  pid?: number,
  found?: FoundDynamicConfig,
): Promise<Seen<NodeConfiguration>> {
  const { configDir, configEnv } = node;
  if (configDir === undefined) return { unseen: 'the input names no "configDir" that this worker could read' };
  try {
    const files = await readConfigurationFiles({ configDir, configEnv });
    const { facts, dynamicFile } = configurationFacts(files, node.role);
    if (found?.unreached !== undefined) return { seen: { ...facts, dynamic: { unseen: found.unreached } } };
    return { seen: { ...facts, dynamic: await readDynamic(found?.file ?? dynamicFile, pid) } };
  } catch (error) {
    if (error instanceof NotReadableError) return { unseen: error.message };
    throw error;
  }
}

/** The files of a node's configuration, in the order in which one lies over the other. @throws NotReadableError */
export async function readConfigurationFiles({
  configDir,
  configEnv,
}: {
  readonly configDir: string;
  readonly configEnv: string;
}): Promise<readonly ConfigurationFile[]> {
  const read = await Promise.all(['base', configEnv].map((name) => readYaml(join(configDir, `${name}.yaml`))));
  const files = read.filter((file) => file !== undefined);
  if (files.length > 0) return files;
  throw new NotReadableError(`there is no ${configEnv}.yaml and no base.yaml in ${configDir}`);
}

/** Undefined where there is no such file. */
async function readYaml(file: string): Promise<ConfigurationFile | undefined> {
  try {
    return parseConfiguration(file, await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof NotReadableError) throw error;
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new NotReadableError(`${file} cannot be read by this worker (${codeOf(error) ?? 'unknown reason'})`);
  }
}

/** Where a file of the configuration is for the process `pid`. @throws NotReadableError when only the process knows */
export async function placeOf(file: string, pid: number | undefined): Promise<string> {
  if (isAbsolute(file)) return file;
  const folder = pid === undefined ? undefined : await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (folder !== undefined) return resolve(folder, file);
  throw new NotReadableError(`${file} is relative to the folder of a process that does not run or cannot be looked at`);
}

async function readDynamic(file: string | undefined, pid: number | undefined): Promise<NodeConfiguration['dynamic']> {
  if (file === undefined) return { seen: 'none' };
  try {
    const path = await placeOf(file, pid);
    const yaml = await readYaml(path);
    if (yaml === undefined) return { unseen: `there is no ${path}` };
    const keys = yaml.settings
      .filter(({ depth }) => depth === 1)
      .map(({ path: [key = ''], line }): PlacedKey => ({ key, file: path, line }));
    return { seen: { file: path, keys } };
  } catch (error) {
    if (error instanceof NotReadableError) return { unseen: error.message };
    throw error;
  }
}
