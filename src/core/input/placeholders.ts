/** What may stand in braces in a template of the operator: `{node}`. */
export type Placeholder = 'node' | 'role' | 'host' | 'version' | 'tag' | 'name';

/** A word in braces. JSON and the braces of other template languages have more than letters in them, and stay as they are. */
const IN_BRACES = /\{([A-Za-z]+)\}/g;

/** Every word in braces, in order. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(IN_BRACES)].map(([, word = '']) => word);
}

/** The template with its placeholders filled in; what is not among `values` stays as it is. */
export function fillPlaceholders(template: string, values: Readonly<Partial<Record<Placeholder, string>>>): string {
  return template.replaceAll(IN_BRACES, (whole, word: string) => new Map(Object.entries(values)).get(word) ?? whole);
}

export interface TemplateRule {
  readonly allowed: readonly Placeholder[];
  /** One that has to be there. */
  readonly needed?: Placeholder | undefined;
}

/** What is wrong with the placeholders of a template, which may be a list of texts; undefined when nothing is. */
export function placeholderProblem(texts: readonly string[], { allowed, needed }: TemplateRule): string | undefined {
  const found = texts.flatMap(placeholdersIn);
  const other = found.find((word) => !allowed.some((name) => name === word));
  if (other !== undefined) {
    return `{${other}} is no placeholder here; there are ${allowed.map((name) => `{${name}}`).join(', ')}`;
  }
  if (needed === undefined || found.includes(needed)) return undefined;
  return `has to name {${needed}}, or every ${needed} would be the same`;
}
