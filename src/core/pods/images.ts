import { fillPlaceholders } from '../input/placeholders.js';
import type { Images } from '../input/pod-parts.js';
import { isServerVersion } from '../version.js';

/** The name of an image in its parts. */
export interface ImageName {
  readonly repository: string;
  readonly tag?: string | undefined;
  /** Such as `sha256:…`. */
  readonly digest?: string | undefined;
}

/** Reads `host:5000/temporalio/server:1.31.2@sha256:…`: a colon before a slash is that of a port. */
export function readImage(text: string): ImageName {
  const [name = '', digest] = text.split('@', 2);
  const [, repository = name, tag] = /^(.*):([^:/]+)$/.exec(name) ?? [];
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** Server version that an image is; undefined when neither its tag nor the input tells. */
export function versionOfImage(text: string, { tag: template, versions }: Images): string | undefined {
  const { tag, digest } = readImage(text);
  const listed = Object.entries(versions).find(([, one]) => one === tag || one === digest);
  if (listed !== undefined) return listed[0];
  if (tag === undefined) return undefined;
  const [before = '', after = ''] = template.split('{version}', 2);
  if (!tag.startsWith(before) || !tag.endsWith(after)) return undefined;
  const version = tag.slice(before.length, tag.length - after.length);
  return isServerVersion(version) ? version : undefined;
}

/** Tag of a version, or its digest where the input names one. */
export function tagOfVersion(version: string, { tag, versions }: Images): string {
  return versions[version] ?? fillPlaceholders(tag, { version });
}

/** Image of a version, in place of the present one. */
export function imageOfVersion(version: string, present: string, images: Images): string {
  const repository = images.repository ?? readImage(present).repository;
  const tag = tagOfVersion(version, images);
  return `${repository}${tag.includes(':') ? '@' : ':'}${tag}`;
}
