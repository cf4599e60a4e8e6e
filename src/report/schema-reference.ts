import { formatDuration } from '../core/duration.js';
import { cell } from './escape.js';

/** A JSON Schema (draft 2020-12), as far as it is read here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
}

/** Every field of an input, an object a table, out of its JSON Schema, as Markdown. An object that occurs twice is told once. */
export function schemaReference(root: JsonSchema): string {
  return [...new Reference(root).lines()].join('\n');
}

class Reference {
  /** Where an object was told, by all that it is. */
  readonly #told = new Map<string, string>();

  constructor(private readonly root: JsonSchema) {}

  *lines(): Generator<string> {
    const { title = '', description = '' } = this.root;
    yield* [`# ${title}`, '', description, ''];
    yield* [
      'A span of time is milliseconds, or text such as `90s`, `10m` or `2h`. A secret is named by where it is read.',
      '',
    ];
    yield* this.#section('', this.root);
  }

  *#section(path: string, schema: JsonSchema): Generator<string> {
    if (path !== '') yield* ['', `## \`${path}\``, ''];
    if (path !== '' && schema.description !== undefined) yield* [schema.description, ''];
    yield '| field | what it is | when left out | |';
    yield '| --- | --- | --- | --- |';
    const below: [string, JsonSchema][] = [];
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const own = path === '' ? name : `${path}.${name}`;
      const [type, objects] = this.#typeOf(field, own);
      below.push(...objects);
      const missing = schema.required?.includes(name) === true ? 'needed' : this.#defaultOf(field);
      yield `| \`${name}\` | ${type} | ${missing} | ${cell(field.description ?? '')} |`;
    }
    for (const [where, object] of below) yield* this.#section(where, object);
  }

  /** What a field takes, in words, and the objects in it that are to be told in a section of their own, with its title. */
  #typeOf(schema: JsonSchema, path: string): [string, [string, JsonSchema][]] {
    const known = wellKnown(schema);
    if (known !== undefined) return [known, []];
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined) {
      const parts = choices.map((choice) => this.#typeOf(choice, titleOf(path, choice, choices)));
      return [parts.map(([text]) => text).join(' or '), parts.flatMap(([, objects]) => objects)];
    }
    if (schema.type === 'array') {
      const [text, objects] = this.#typeOf(schema.items ?? {}, `${path}[]`);
      return [`list of ${text}`, objects];
    }
    if (schema.type !== 'object') return [scalarOf(schema), []];
    if (schema.properties !== undefined) return this.#objectAt(path, schema);
    if (typeof schema.additionalProperties !== 'object') return ['map', []];
    const [text, objects] = this.#typeOf(schema.additionalProperties, `${path}.*`);
    return [`map of name to ${text}`, objects];
  }

  #objectAt(path: string, schema: JsonSchema): [string, [string, JsonSchema][]] {
    // Two fields of the same shape differ in what they are for, not in what they take.
    const key = JSON.stringify({ ...schema, description: undefined, default: undefined });
    const told = this.#told.get(key);
    if (told !== undefined) return [`as [\`${told}\`](#${anchorOf(told)})`, []];
    this.#told.set(key, path);
    return [`[\`${path}\`](#${anchorOf(path)})`, [[path, schema]]];
  }

  #defaultOf(schema: JsonSchema): string {
    const { default: value } = schema;
    if (value === undefined) return '';
    if (isDuration(schema) && typeof value === 'number') return value === 0 ? '0' : formatDuration(value);
    if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return '';
    return `\`${cell(JSON.stringify(value))}\``;
  }
}

/** Shapes that occur everywhere, in a few words. */
function wellKnown(schema: JsonSchema): string | undefined {
  // A reference is made only for what holds itself.
  if (schema.$ref !== undefined) return 'anything that JSON holds';
  if (isDuration(schema)) return 'span of time';
  const keys = schema.anyOf?.map((choice) => Object.keys(choice.properties ?? {}).join());
  if (keys?.join('|') === 'env|file') return 'secret: `{ env: NAME }` or `{ file: PATH }`';
  return undefined;
}

/** `core/duration.ts`: milliseconds, or text. */
function isDuration({ anyOf }: JsonSchema): boolean {
  return anyOf?.length === 2 && anyOf[0]?.type === 'integer' && anyOf[1]?.type === 'string' && anyOf[0].minimum === 0;
}

function scalarOf({ type, const: constant, enum: values, ...schema }: JsonSchema): string {
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (type !== 'integer' && type !== 'number') return type === 'boolean' ? '`true` or `false`' : 'text';
  const { minimum, exclusiveMinimum, maximum = Infinity } = schema;
  const least =
    exclusiveMinimum === undefined ? (minimum === undefined ? '' : ` from ${minimum}`) : ` above ${exclusiveMinimum}`;
  const most = maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`;
  return `${type === 'integer' ? 'whole number' : 'number'}${least}${most}`;
}

/** Of several objects each is named by the field that tells them apart. */
function titleOf(path: string, choice: JsonSchema, choices: readonly JsonSchema[]): string {
  const objects = choices.filter(({ properties }) => properties !== undefined);
  if (objects.length < 2) return path;
  const told = Object.entries(choice.properties ?? {}).find(([, field]) => field.const !== undefined);
  if (told !== undefined) return `${path} (${told[0]}: ${String(told[1].const)})`;
  return `${path} (${choice.required?.join(', ') ?? ''})`;
}

/** The anchor that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(/\s/g, '-');
}
