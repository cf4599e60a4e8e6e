import { countOf } from '../count-of.js';

/** What is known of a custom search attribute of a namespace. */
export interface AttributeFacts {
  /** Such as `Keyword`. */
  readonly type: string;
  /** How many of the workflows that closed before a moment are found by having it; absent when the question failed, or was not asked. */
  readonly having?: number | undefined;
  /** What the cluster answered in place of a number. */
  readonly problem?: string | undefined;
}

/** Workflows that were closed so long ago that the retention removes them within a time. */
export interface Expiring {
  readonly withinMs: number;
  readonly count: number;
}

export interface NamespaceAttributes {
  /**
   * How many workflows closed before that moment: asked before and after the questions about attributes, as the retention removes
   * some meanwhile. Absent where it was not asked.
   */
  readonly closed?: { readonly atFirst?: number | undefined; readonly atLast?: number | undefined } | undefined;
  /** How many of them the retention removes within a time, the shortest first; absent in records of earlier releases. */
  readonly expiring?: readonly Expiring[] | undefined;
  readonly attributes: Readonly<Record<string, AttributeFacts>>;
}

/** By namespace; those without custom search attributes are left out. */
export type SearchAttributes = Readonly<Record<string, NamespaceAttributes>>;

/**
 * What a cluster cannot answer any more: attributes that are gone or of another type, questions that fail, and closed workflows
 * that are not found by an attribute that they had. Nobody changes a closed workflow; the retention alone removes some: no more
 * than are gone altogether, and none whose time has not come. `passedMs`: time since `before` was asked for.
 */
export function lostSearchAttributes(before: SearchAttributes, after: SearchAttributes, passedMs: number): string[] {
  return Object.entries(before).flatMap(([namespace, { closed, expiring, attributes }]) => {
    const now = after[namespace];
    const gone = Math.max(0, (closed?.atFirst ?? 0) - (now?.closed?.atLast ?? 0));
    const due = expiring?.find(({ withinMs }) => withinMs >= passedMs)?.count ?? gone;
    const deleted = Math.min(gone, due);
    return Object.entries(attributes).flatMap(([name, facts]) => {
      const what = `search attribute ${name} of namespace ${namespace}`;
      const present = now?.attributes[name];
      if (present === undefined) return [`${what} (${facts.type}) is gone`];
      if (present.type !== facts.type) return [`${what} was ${facts.type} and is ${present.type}`];
      if (facts.having === undefined) return [];
      if (present.problem !== undefined) return [`${what}: workflows are not found by it any more: ${present.problem}`];
      if (present.having === undefined) return [];
      const lost = facts.having - present.having;
      if (lost <= deleted) return [];
      const counts = `${facts.having} closed workflows were found by it, ${present.having} are now, and`;
      if (deleted === gone) return [`${what}: ${counts} ${deleted} were deleted since`];
      return [
        `${what}: ${counts} of ${gone} that visibility shows no more the retention removed ${deleted} at most; did somebody delete workflows?`,
      ];
    });
  });
}

/** How many attributes there are, for people: `3 search attributes in 2 namespaces`. */
export function searchAttributesText(all: SearchAttributes): string {
  const namespaces = Object.values(all);
  const count = namespaces.reduce((sum, { attributes }) => sum + Object.keys(attributes).length, 0);
  return `${countOf(count, 'search attribute')} in ${countOf(namespaces.length, 'namespace')}`;
}
