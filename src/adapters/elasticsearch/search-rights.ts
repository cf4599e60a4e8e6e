import { z } from 'zod';
import type { ElasticsearchStore } from '../../core/input/input.js';
import type { StoreRights } from '../../core/survey/store-survey.js';
import { isUnknownQuestion, type SearchClient } from './search-connection.js';
import type { SearchServer } from './search-inspect.js';

type Asked = Pick<ElasticsearchStore, 'user' | 'apiKey'> & Pick<SearchServer, 'product'>;

/** What the user may do. Where nobody is asked who he is, everybody may do everything. */
export async function readRights(client: SearchClient, { user, apiKey, product }: Asked): Promise<StoreRights> {
  if (user === undefined && apiKey === undefined) return everything(client, '');
  try {
    return product === 'OpenSearch' ? await askOpenSearch(client) : await askElasticsearch(client);
  } catch (error) {
    if (!isUnknownQuestion(error)) throw error;
    // Whoever asks for users is something before it, such as a proxy.
    return notTold(client, user ?? '', 'it has no security of its own that would tell');
  }
}

function everything({ index }: SearchClient, user: string): StoreRights {
  return {
    ...{ user, schema: index, canCreateInSchema: true, unreadableSequences: [] },
    tables: [{ table: index, owner: '', canAlter: true, canRead: true, canWrite: true }],
  };
}

function notTold({ index }: SearchClient, user: string, reason: string): StoreRights {
  return { user, schema: index, canCreateInSchema: false, tables: [], unreadableSequences: [], notTold: reason };
}

const Who = z.object({ user_name: z.string(), roles: z.array(z.string()).default([]) });

/**
 * OpenSearch tells a user its roles, and what a role may do only to administrators (REST API of its security plugin). The
 * role that may do everything is there in every installation.
 */
async function askOpenSearch(client: SearchClient): Promise<StoreRights> {
  const { user_name: user, roles } = await client.get('/_plugins/_security/authinfo', Who);
  if (roles.includes('all_access')) return everything(client, user);
  const of = roles.length === 0 ? 'it has none' : `it has ${roles.join(', ')}`;
  return notTold(client, user, `OpenSearch tells user "${user}" its roles (${of}), and not what they may do`);
}

const Privileges = z.object({
  username: z.string(),
  index: z.record(z.string(), z.record(z.string(), z.boolean())),
  cluster: z.record(z.string(), z.boolean()),
});
const NEEDED = ['manage', 'read', 'write', 'view_index_metadata'];

async function askElasticsearch(client: SearchClient): Promise<StoreRights> {
  const body = { cluster: ['manage_index_templates'], index: [{ names: [client.index], privileges: NEEDED }] };
  const path = '/_security/user/_has_privileges';
  const { username, index, cluster } = await client.send('POST', { path, body }, Privileges);
  const may = index[client.index] ?? {};
  return {
    ...{ user: username, schema: client.index, unreadableSequences: [] },
    canCreateInSchema: cluster['manage_index_templates'] === true,
    tables: [
      {
        ...{ table: client.index, owner: '' },
        canAlter: may['manage'] === true,
        canRead: may['read'] === true && may['view_index_metadata'] === true,
        canWrite: may['write'] === true,
      },
    ],
  };
}
