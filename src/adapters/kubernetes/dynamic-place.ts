import { SILENT } from '../dynamic-config/dynamic-files.js';
import { readGoDuration } from '../dynamic-config/go-duration.js';
import { dynamicClientFacts } from '../process/configuration-facts.js';
import { NotReadableError } from '../process/parse-configuration.js';
import { nameOfFile, podConfiguration } from './pod-configuration.js';
import type { MapReader, PodFiles } from './pod-files.js';
import { reconcilerOf } from './reconciler.js';
import type { ConfigMapShape } from './shapes.js';

/** The key of a ConfigMap that is the dynamic configuration of servers. */
export interface DynamicPlace {
  readonly configMap: string;
  readonly key: string;
  /** Longest time between two looks of a server at its file, in milliseconds. */
  readonly pollMs: number;
  /** Whether its servers tell in their output of each key that has changed. */
  readonly tells: boolean;
}

/** What the default configuration of Temporal's images calls it. */
const PATH_VARIABLE = 'DYNAMIC_CONFIG_FILE_PATH';
/** A server refuses to start without one of at least 5 s; the charts and images have 10 s or 60 s. */
const UNKNOWN_POLL_MS = 60_000;
/** Annotations of an object have 256 KiB together, and what was there before has to fit into ours. */
const MOST_BYTES = 128 * 1024;

/** Where the dynamic configuration of a server's pods is, if that can be changed while they run; else why not. */
export async function dynamicPlaceOf(
  pod: PodFiles,
  read: MapReader,
): Promise<DynamicPlace | { readonly reason: string }> {
  try {
    const { file, found, pollMs, tells } = dynamicFileOf(pod);
    if (found === undefined) return { reason: missing(file, pod.holders(file)) };
    const map = await read(found.configMap);
    const reason = found.isFixed ? fixed(file, found) : map === undefined ? undefined : unchangeable(map, found.text);
    return reason === undefined ? { configMap: found.configMap, key: found.key, pollMs, tells } : { reason };
  } catch (error) {
    if (error instanceof NotReadableError) return { reason: error.message };
    throw error;
  }
}

/** The file that a server takes its dynamic configuration from, and which key of a ConfigMap that is. @throws NotReadableError */
export function dynamicFileOf(pod: PodFiles) {
  const client = clientOf(pod);
  return { ...client, found: pod.files.find(({ path }) => path === client.file) };
}

function clientOf(pod: PodFiles): { readonly file: string; readonly pollMs: number; readonly tells: boolean } {
  const given = pod.environment[PATH_VARIABLE];
  try {
    const { file = given, pollInterval, logLevel, logOutputFile } = dynamicClientFacts(podConfiguration(pod));
    if (file === undefined)
      throw new NotReadableError('its configuration names no file of dynamic configuration (dynamicConfigClient)');
    const tells = logOutputFile === undefined && !SILENT.includes(logLevel.toLowerCase());
    return { file, pollMs: readGoDuration(pollInterval) ?? UNKNOWN_POLL_MS, tells };
  } catch (error) {
    // One that lies in the image: its own default names the file by this variable, and tells of changes at its level.
    if (!(error instanceof NotReadableError) || given === undefined) throw error;
    return { file: given, pollMs: UNKNOWN_POLL_MS, tells: true };
  }
}

function missing(file: string, holders: readonly string[]): string {
  return holders.length === 0
    ? `${file} is in no ConfigMap that its pods mount`
    : `${holders.map((name) => `configmap/${name}`).join(', ')}, mounted for ${file}, is not there or has no such key`;
}

function fixed(file: string, found: { readonly configMap: string; readonly key: string }): string {
  return `${nameOfFile(found)} is mounted by itself (subPath) as ${file}, so that a pod that runs never sees a change of it; mount its folder`;
}

function unchangeable({ metadata, immutable }: ConfigMapShape, text: string): string | undefined {
  const name = `configmap/${metadata.name}`;
  if (immutable) return `${name} is immutable`;
  const reconciler = reconcilerOf(metadata);
  if (reconciler !== undefined)
    return `${name} is kept by ${reconciler.by} (${reconciler.evidence}), which would write back what its repository says`;
  const [owner] = metadata.ownerReferences;
  if (owner !== undefined)
    return `${name} belongs to ${owner.kind} ${owner.name} (${owner.apiVersion}), which makes it anew from itself`;
  if (Buffer.byteLength(text) > MOST_BYTES)
    return `${name} holds more than ${MOST_BYTES / 1024} KiB, which could not be kept for its way back`;
  return undefined;
}
