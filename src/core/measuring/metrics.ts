/** One series of Prometheus text with its value. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Series of a page of Prometheus text (exposition format 0.0.4, which OpenMetrics extends). Comments, time stamps and
 * exemplars are left out, and so are lines that are not well formed: a half page is found out by what is missing.
 */
export function parseMetrics(text: string): MetricSample[] {
  return text.split('\n').flatMap((line) => parsePlain(line) ?? parseLine(line) ?? []);
}

/** A line as servers write them, without blanks and escapes. */
const PLAIN = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^{}\\]*)\})? (\S+)$/;
const KEY = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * The same as {@link parseLine} for a line that is plain, in a third of the time: pages of all processes are read at every beat,
 * beside servers whose clients wait. Undefined where it is not.
 */
function parsePlain(line: string): MetricSample | undefined {
  const [, name, inside = '', text] = PLAIN.exec(line) ?? [];
  const value = parseValue(text);
  if (name === undefined || value === undefined) return undefined;
  const labels: Record<string, string> = {};
  for (let at = 0; at < inside.length;) {
    const equals = inside.indexOf('="', at);
    const end = equals < 0 ? -1 : inside.indexOf('"', equals + 2);
    const key = inside.slice(at, equals);
    const after = inside[end + 1] ?? ',';
    if (end < 0 || after !== ',' || !KEY.test(key)) return undefined;
    labels[key] = inside.slice(equals + 2, end);
    at = end + 2;
  }
  return { name, labels, value };
}

const NAME = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /^\s*(\S+)/;

function parseLine(line: string): MetricSample | undefined {
  const named = NAME.exec(line);
  if (named?.[1] === undefined) return undefined; // a comment or an empty line
  const labels: Record<string, string> = {};
  let at = named[0].length;
  if (line[at] === '{') {
    LABEL.lastIndex = at + 1;
    let end = LABEL.lastIndex;
    for (let label = LABEL.exec(line); label !== null; label = LABEL.exec(line)) {
      const [, key = '', value = ''] = label;
      labels[key] = unescape(value);
      end = LABEL.lastIndex;
    }
    const closing = /^\s*\}/.exec(line.slice(end));
    if (closing === null) return undefined;
    at = end + closing[0].length;
  }
  const value = parseValue(VALUE.exec(line.slice(at))?.[1]);
  return value === undefined ? undefined : { name: named[1], labels, value };
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}

function parseValue(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(text)) return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Metrics that every process of a server has shown since 1.0: what stands before their names is the configured prefix. */
const ANCHORS = ['num_goroutines', 'memory_heap', 'restarts', 'build_information'];

/**
 * Sum of a counter over all series whose labels hold `labels`; undefined when there is none, which is not the same as 0.
 * `name` is that of the server's source: a configured prefix and the `_total` of OpenTelemetry are found out.
 */
export function sumCounters(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = spellings(samples, name);
  const matching = samples.filter(
    (sample) => wanted.has(sample.name) && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return matching.length === 0 ? undefined : matching.reduce((sum, { value }) => sum + value, 0);
}

function spellings(samples: readonly MetricSample[], name: string): ReadonlySet<string> {
  const names = new Set(samples.map((sample) => sample.name));
  const prefixes = ANCHORS.flatMap((anchor) => prefixesOf(names, anchor));
  // Without an anchor the shortest fits: visibility_persistence_requests must not count as persistence_requests.
  const prefix = shortest(prefixes) ?? shortest(prefixesOf(names, name)) ?? '';
  return new Set([`${prefix}${name}`, `${prefix}${name}_total`]);
}

function prefixesOf(names: ReadonlySet<string>, name: string): string[] {
  return [...names]
    .map((candidate) => candidate.replace(/_total$/, ''))
    .filter((candidate) => candidate === name || candidate.endsWith(`_${name}`))
    .map((candidate) => candidate.slice(0, candidate.length - name.length));
}

function shortest(texts: readonly string[]): string | undefined {
  return texts.toSorted((a, b) => a.length - b.length)[0];
}

/** What counters of one run of one process rose by. */
export interface CounterRise {
  readonly samples: readonly MetricSample[];
  /** Some counter fell: the process was started anew in between, and the rises are lower bounds. */
  readonly reset: boolean;
}

/**
 * Rise of each series between two pages of one process. A series that was not there before began at 0. Which process a
 * page came from is known to the caller: pages of two processes must not be compared.
 */
export function diffCounters(before: readonly MetricSample[], after: readonly MetricSample[]): CounterRise {
  const earlier = new Map(before.map((sample) => [keyOf(sample), sample.value]));
  const fell = (sample: MetricSample): boolean => sample.value < (earlier.get(keyOf(sample)) ?? 0);
  return {
    samples: after.map((sample) => ({
      ...sample,
      value: fell(sample) ? sample.value : sample.value - (earlier.get(keyOf(sample)) ?? 0),
    })),
    reset: after.some((sample) => isCounter(sample.name) && fell(sample)),
  };
}

/** Gauges fall without a restart; only these are known to be counters by name, whatever prefix or suffix they carry. */
function isCounter(name: string): boolean {
  return /(^|_)(service_requests|service_errors|restarts)(_total)?$/.test(name);
}

function keyOf({ name, labels }: MetricSample): string {
  return JSON.stringify([name, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
