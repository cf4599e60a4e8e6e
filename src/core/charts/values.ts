/** Values of a chart as YAML has them: maps of maps. */
export interface Values {
  [key: string]: unknown;
}

/** Whether `value` is a map, as helm merges them; a list is none. */
export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values files laid over each other as helm does it: maps are merged, all else of a later file replaces what was there. */
export function mergeValues(...files: readonly Values[]): Values {
  return files.reduce<Values>((under, over) => {
    const merged: Values = { ...under };
    for (const [key, value] of Object.entries(over)) {
      const before = merged[key];
      merged[key] = isMap(before) && isMap(value) ? mergeValues(before, value) : value;
    }
    return merged;
  }, {});
}

/** What stands at a path such as `server.config`; undefined where nothing does. No key of the chart's has a dot. */
export function valueAt(values: Values, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), values);
}

/** The map at a path; an empty one where there is none. */
export function mapAt(values: Values, path: string): Values {
  const found = valueAt(values, path);
  return isMap(found) ? found : {};
}

/** The same values with `value` at a path; maps on the way are made. */
export function withValue(values: Values, path: string, value: unknown): Values {
  const [key = '', ...rest] = path.split('.');
  const below = values[key];
  return { ...values, [key]: rest.length === 0 ? value : withValue(isMap(below) ? below : {}, rest.join('.'), value) };
}

/** The same values without what stands at a path, and without the maps above it that are empty then. */
export function withoutValue(values: Values, path: string): Values {
  const [key = '', ...rest] = path.split('.');
  const { [key]: below, ...others } = values;
  if (rest.length === 0 || below === undefined) return others;
  if (!isMap(below)) return values;
  const left = withoutValue(below, rest.join('.'));
  return Object.keys(left).length === 0 ? others : { ...values, [key]: left };
}
