import { messageOf } from '../../core/errors.js';
import type { StoreRights } from '../../core/survey/store-survey.js';
import type { CassandraClient } from './cassandra-connection.js';
import { readTables } from './cassandra-inspect.js';

interface Permission {
  readonly resource: string;
  readonly permission: string;
}

/** What the user may do. Where nobody is asked who he is, everybody may do everything. */
export async function readRights(client: CassandraClient, user: string | undefined): Promise<StoreRights> {
  const may = await permissionsOf(client, user);
  const tables = [...(await readTables(client))].sort();
  return {
    user: user ?? '',
    schema: client.keyspace,
    canCreateInSchema: may('CREATE'),
    tables: tables.map((table) => ({
      table,
      owner: '',
      canAlter: may('ALTER', table) && may('DROP', table),
      canRead: may('SELECT', table),
      canWrite: may('MODIFY', table),
    })),
    unreadableSequences: [],
  };
}

type May = (permission: string, table?: string) => boolean;

async function permissionsOf(client: CassandraClient, user: string | undefined): Promise<May> {
  if (user === undefined) return () => true;
  try {
    const role = `'${user.replaceAll("'", "''")}'`;
    const roles = await client.ask<{ super: boolean }>(`list roles of ${role}`);
    if (roles.some((one) => one.super)) return () => true;
    const all = await client.ask<Permission>(`list all permissions of ${role}`);
    return (permission, table) =>
      all.some((one) => one.permission === permission && covers(one.resource, client.keyspace, table));
  } catch (error) {
    // "… operation is not supported by AllowAllAuthorizer": nobody is ever refused.
    if (/AllowAllAuthorizer|not supported/i.test(messageOf(error))) return () => true;
    throw error;
  }
}

/** Of `<all keyspaces>`, `<keyspace temporal>`, `<all tables in temporal>` and `<table temporal.tasks>`. */
function covers(resource: string, keyspace: string, table: string | undefined): boolean {
  if (resource === '<all keyspaces>' || resource === `<keyspace ${keyspace}>`) return true;
  return (
    table !== undefined && (resource === `<all tables in ${keyspace}>` || resource === `<table ${keyspace}.${table}>`)
  );
}
