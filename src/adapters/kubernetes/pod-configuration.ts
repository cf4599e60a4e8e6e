import { basename } from 'node:path';
import { fillTemplate, TemplateError } from '../../core/pods/fill-template.js';
import type { MountedFile } from '../../core/pods/mounted-files.js';
import { type ConfigurationFile, NotReadableError, parseConfiguration } from '../process/parse-configuration.js';
import type { PodFiles } from './pod-files.js';

/** Where charts since 1.0 say which file it is. */
const PATH_VARIABLE = 'TEMPORAL_SERVER_CONFIG_FILE_PATH';
/** What the charts mount, and the file that the entry point of older images makes of it. */
const TEMPLATES = ['config_template.yaml', 'docker.yaml'];

/** `configmap/temporal-config: config_template.yaml`. */
export function nameOfFile({ configMap, key }: Pick<MountedFile, 'configMap' | 'key'>): string {
  return `configmap/${configMap}: ${key}`;
}

/**
 * The configuration of a server as its pod has it, in the order in which one file lies over the other. What lies in a Secret is
 * hidden. @throws NotReadableError when no ConfigMap holds it, or only its container can evaluate it
 */
export function podConfiguration({ files, environment }: Pick<PodFiles, 'files' | 'environment'>): ConfigurationFile[] {
  const named = environment[PATH_VARIABLE];
  const found = named === undefined ? byName(files) : files.filter(({ path }) => path === named);
  if (found.length === 0) {
    throw new NotReadableError(
      named === undefined
        ? `no ConfigMap that its pods mount holds its configuration (${TEMPLATES.join(', ')}, base.yaml)`
        : `${named} (${PATH_VARIABLE}) is in no ConfigMap that its pods mount`,
    );
  }
  return found.map((file) => parse(file, environment));
}

function byName(files: readonly MountedFile[]): MountedFile[] {
  const named = (name: string) => files.filter(({ path }) => basename(path) === name);
  const template = TEMPLATES.map(named).find((same) => same.length > 0) ?? [];
  return [...named('base.yaml'), ...template];
}

function parse(file: MountedFile, environment: PodFiles['environment']): ConfigurationFile {
  const name = nameOfFile(file);
  try {
    return parseConfiguration(name, fillTemplate(file.text, environment));
  } catch (error) {
    if (error instanceof TemplateError) throw new NotReadableError(`${name} cannot be read: ${error.message}`);
    throw error;
  }
}
