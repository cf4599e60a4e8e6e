/** Environment of a container, as far as it is known without looking into a Secret. */
export type KnownEnvironment = Readonly<Record<string, string>>;

/** What stands for a value that lies in a Secret, or is known in the pod alone. */
export const HIDDEN = 'HIDDEN';

/** An action of Go's templates that only the server's own programs can do. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const TEXT = '"((?:[^"\\\\]|\\\\.)*)"';
const NAMED = `(?:\\.Env\\.(\\w+)|env\\s+"(\\w+)"|\\(\\s*env\\s+"(\\w+)"\\s*\\))`;
const VALUE = new RegExp(`^${NAMED}(?:\\s*\\|\\s*default\\s+${TEXT})?(\\s*\\|\\s*quote)?$`);
/** `default .Env.NAME "text"` of dockerize, `default "text" (env "NAME")` of sprig. */
const DEFAULT = new RegExp(`^default\\s+(?:${NAMED}\\s+${TEXT}|${TEXT}\\s+${NAMED})(\\s*\\|\\s*quote)?$`);
const COMMENT = /^\/\*.*\*\/$/s;

/**
 * A template of the server's configuration with its environment filled in, in the ways that the charts use: `.Env.NAME`, `env "NAME"`, each
 * with a default and quoted. What is not known is {@link HIDDEN}. @throws TemplateError at anything else, such as a condition
 */
export function fillTemplate(template: string, environment: KnownEnvironment): string {
  return template.replace(ACTION, (_all, action: string) => {
    if (COMMENT.test(action)) return '';
    const value = VALUE.exec(action);
    if (value !== null) {
      const [, first, second, third, otherwise, quoted] = value;
      return shown(valueOf(environment, first ?? second ?? third, otherwise), quoted);
    }
    const withDefault = DEFAULT.exec(action);
    if (withDefault === null)
      throw new TemplateError(`it is a template with "{{ ${action} }}", which only the server's container evaluates`);
    const [, a, b, c, afterwards, before, d, e, f, quoted] = withDefault;
    return shown(valueOf(environment, a ?? b ?? c ?? d ?? e ?? f, afterwards ?? before), quoted);
  });
}

function valueOf(environment: KnownEnvironment, name = '', otherwise?: string): string {
  const value = environment[name];
  if (value === undefined || value === '') return otherwise ?? value ?? HIDDEN;
  return value;
}

function shown(value: string, quoted: string | undefined): string {
  return quoted === undefined ? value : JSON.stringify(value);
}
