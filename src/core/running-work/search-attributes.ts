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

export interface NamespaceAttributes {
  /**
   * How many workflows closed before that moment: asked before and after the questions about attributes, as the retention removes
   * some meanwhile. Absent where it was not asked.
   */
  readonly closed?: { readonly atFirst?: number | undefined; readonly atLast?: number | undefined } | undefined;
  readonly attributes: Readonly<Record<string, AttributeFacts>>;
}

/** By namespace; those without custom search attributes are left out. */
export type SearchAttributes = Readonly<Record<string, NamespaceAttributes>>;

/**
 * What a cluster cannot answer any more: attributes that are gone or of another type, questions that fail, and closed workflows
 * that are not found by an attribute that they had. Nobody changes a closed workflow; the retention alone removes some, and no more
 * than are gone altogether.
 */
export function lostSearchAttributes(before: SearchAttributes, after: SearchAttributes): string[] {
  return Object.entries(before).flatMap(([namespace, { closed, attributes }]) => {
    const now = after[namespace];
    return Object.entries(attributes).flatMap(([name, facts]) => {
      const what = `search attribute ${name} of namespace ${namespace}`;
      const present = now?.attributes[name];
      if (present === undefined) return [`${what} (${facts.type}) is gone`];
      if (present.type !== facts.type) return [`${what} was ${facts.type} and is ${present.type}`];
      if (facts.having === undefined) return [];
      if (present.problem !== undefined) return [`${what}: workflows are not found by it any more: ${present.problem}`];
      if (present.having === undefined) return [];
      const lost = facts.having - present.having;
      const deleted = Math.max(0, (closed?.atFirst ?? 0) - (now?.closed?.atLast ?? 0));
      if (lost <= deleted) return [];
      return [
        `${what}: ${facts.having} closed workflows were found by it, ${present.having} are now, and ${deleted} were deleted since`,
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
