import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { filesOf } from './control-plane-arguments.js';

/** One request that an API server of the lab was asked, as its audit log tells of it. */
export interface AuditedRequest {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** `pods`, or `pods/log`. */
  readonly resource: string;
  /** Empty for what lies in none. */
  readonly namespace: string;
  readonly allowed: boolean;
}

/** Who asks what of service accounts, and no bodies. Of what comes in stages, such as a watch, the first is enough. */
const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
};

const Entry = z.object({
  verb: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({
      resource: z.string().default(''),
      subresource: z.string().default(''),
      namespace: z.string().default(''),
      apiGroup: z.string().default(''),
    })
    .optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** Writes which requests an API server in `directory` keeps a log of. */
export async function writeAuditPolicy(directory: string): Promise<void> {
  await writeFile(filesOf(directory).auditPolicy, stringify(POLICY));
}

/**
 * What `user` (`system:serviceaccount:NAMESPACE:NAME`) asked the API server in `directory` for so far, in order; without questions about the API
 * itself, which are of no object. The log is written before a request is answered.
 */
export async function readAudit(directory: string, user: string): Promise<AuditedRequest[]> {
  const text = await readFile(filesOf(directory).auditLog, 'utf8');
  const entries = text.split('\n').filter((line) => line !== '');
  return entries.flatMap((line) => {
    const { verb, user: by, objectRef, annotations } = Entry.parse(JSON.parse(line));
    if (by.username !== user || objectRef === undefined) return [];
    const { apiGroup: group, subresource, namespace } = objectRef;
    const resource = subresource === '' ? objectRef.resource : `${objectRef.resource}/${subresource}`;
    return [{ verb, group, resource, namespace, allowed: annotations['authorization.k8s.io/decision'] === 'allow' }];
  });
}
