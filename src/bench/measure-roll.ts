import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { createToolResolver } from '../adapters/tools/tool-resolver.js';
import { stopServersBelow } from '../lab/clean-up.js';
import { waitUntilUsable } from '../lab/cluster-health.js';
import { startRolloutLab, type RolloutLab } from '../lab/rollout-lab.js';
import { BusyWatch } from './roll/busy-watch.js';
import { linesAround } from './roll/log-lines.js';
import { measuredRoll, rollTable, sliceRoll, type MeasuredRoll } from './roll/measured-roll.js';
import { plotRolls } from './roll/plot-rolls.js';
import { findRate, RollLoad } from './roll/roll-load.js';
import { readRolls } from './roll/rolls-file.js';
import { findTdbg } from './roll/tdbg.js';
import { roll, WAYS, type Span, type Way } from './roll/ways.js';

export interface MeasuredRolls {
  readonly rolls: readonly MeasuredRoll[];
  readonly startsPerSecond: number;
}

const FROM = '1.31.2';
const TO = '1.32.1';
const LIVE = { shards: 64, nodesPerRole: { frontend: 2, history: 2, matching: 2, worker: 2 }, balanced: true };
/** Of the lab's servers: its `pollInterval`. */
const POLL_SECONDS = 10;
const BEFORE_MS = 45_000;
const AFTER_MS = 20_000;
/** After all servers were started anew, until their shards have come to rest. */
const REST_MS = 20_000;
const DEFAULT_ROUNDS = 5;

/** Around a failure, of what frontends wrote down. */
const LOG_WITHIN_MS = 2_000;

/**
 * Connections of 5 minutes are the server's default, which a cluster has that nobody prepared; 60 s is what the strict style
 * asks for (docs/rolling.md). `AGE` of the environment gives all ways the same.
 */
const CONNECTION_AGE: Readonly<Record<Way, string>> = {
  documented: '5m',
  'careful by hand': '5m',
  careful: '5m',
  strict: '60s',
};

/**
 * Ten a second by default, of each frontend: while one of two is away the probe alone would have more than that, and what is
 * measured then is a quota.
 */
const VISIBILITY_CALLS = 100;

/**
 * Rolls the servers of one cluster in every way, round after round; between two rolls all of them go back to the version before,
 * which is not measured. `ROUNDS` and `WAYS` (separated by commas) of the environment make it shorter; with `MORE` the rolls of
 * earlier runs count too, so that five rounds need not be one run of hours. `RESULTS` is the folder of what was measured.
 */
export async function measureRolls(onProgress: (line: string) => void): Promise<MeasuredRolls> {
  const directory = join(homedir(), '.cache', 'temporal-upgrade', 'bench-roll');
  const results = resolve(process.env['RESULTS'] ?? join(homedir(), '.cache', 'temporal-upgrade', 'bench-rolls'));
  const file = join(results, 'rolls.jsonl');
  await mkdir(results, { recursive: true });
  const rolls = process.env['MORE'] === undefined ? [] : await readRolls(file).catch(() => []);
  if (rolls.length === 0) await rm(file, { force: true });
  const tools = createToolResolver();
  for (const version of [FROM, TO]) await tools.serverTool('temporal-server', version);
  // Built before anything is measured, where no archive brings it.
  await findTdbg(TO, tools);
  // Staging runs the new version already, so that a roll-out is one hop of live.
  const lab = await startRolloutLab({
    directory,
    version: FROM,
    tools,
    staging: { version: TO },
    live: LIVE,
    onProgress,
  });
  try {
    const bench = new RollBench(lab, results, onProgress);
    const ways = chosenWays();
    if (ways.some((way) => way === 'careful' || way === 'strict')) await lab.startWorker();
    await bench.reset('documented');
    onProgress('looking for the rate');
    const startsPerSecond = await findRate((rate) => bench.load(rate), onProgress);
    for (let round = 1; round <= rounds(); round += 1) {
      // Another order in each round: what a way finds depends on what ran before it.
      for (const way of rotated(ways, rolls.length / ways.length)) {
        onProgress(`round ${round}: ${way}`);
        const measured = await bench.measure(way, startsPerSecond);
        onProgress(JSON.stringify({ ...measured, series: undefined }));
        await appendFile(file, `${JSON.stringify(measured)}\n`);
        rolls.push(measured);
      }
    }
    rollTable(rolls).forEach(onProgress);
    const plot = join(results, 'rolls.svg');
    await writeFile(plot, plotRolls(rolls));
    onProgress(`plot: ${plot}`);
    return { rolls, startsPerSecond };
  } finally {
    await lab.stop();
  }
}

class RollBench {
  readonly #tools = createToolResolver();

  constructor(
    private readonly lab: RolloutLab,
    private readonly results: string,
    private readonly onProgress: (line: string) => void,
  ) {}

  load(startsPerSecond: number): RollLoad {
    const { directory, live } = this.lab;
    return new RollLoad({ connection: live.target.connection, directory, startsPerSecond });
  }

  /** All servers of live stop, and start with the old version and the configuration of a way; its schema stays. */
  async reset(way: Way): Promise<void> {
    const { live } = this.lab;
    const { target, driver, dynamicConfigFile } = live;
    await stopServersBelow(dirname(dynamicConfigFile)); // clients keep their balancer
    const settings = {
      'frontend.keepAliveMaxConnectionAge': [{ value: process.env['AGE'] ?? CONNECTION_AGE[way] }],
      'frontend.namespaceRPS.visibility': [{ value: VISIBILITY_CALLS }],
    };
    await writeFile(dynamicConfigFile, stringify(settings));
    for (const { name } of target.driver.nodes) await driver.startNode(name, FROM);
    await waitUntilUsable(target, driver, FROM);
    await sleep(REST_MS);
  }

  async measure(way: Way, startsPerSecond: number): Promise<MeasuredRoll> {
    await this.reset(way);
    const load = this.load(startsPerSecond);
    await load.warm();
    const begin = Date.now();
    using machine = new BusyWatch();
    await sleep(BEFORE_MS);
    const before: Span = { from: begin, to: Date.now() };
    const span = await roll(way, {
      cluster: this.lab.live,
      to: TO,
      tools: this.#tools,
      pollSeconds: POLL_SECONDS,
      client: this.lab.client,
      input: (style) => this.#input(style),
    });
    const busy = { before: machine.during(before), during: machine.during(span) };
    const after: Span = { from: span.to, to: span.to + AFTER_MS };
    await sleep(Math.max(0, after.to - Date.now()) + 6_000); // the probe writes down what it saw every five seconds
    const windows = { before: load.window(before), during: load.window(span), after: load.window(after) };
    const series = sliceRoll(span, (slice) => load.window(slice));
    this.onProgress('every canary is verified');
    const measured = measuredRoll(way, span, windows, { ...(await load.end()), series, busy });
    await this.#keepLogs(measured, span);
    return measured;
  }

  /** What frontends wrote down around each failure, in a file beside the rolls: their logs go with the lab. */
  async #keepLogs({ way, failures }: MeasuredRoll, { from }: Span): Promise<void> {
    if (failures.length === 0) return;
    const moments = failures.map(({ second }) => from + second * 1_000);
    const frontends = this.lab.live.target.driver.nodes.filter(({ role }) => role === 'frontend');
    const parts = await Promise.all(
      frontends.map(async ({ name, logFile }) => {
        const log = logFile === undefined ? '' : await readFile(logFile, 'utf8');
        return [`${name}:`, ...linesAround(log, moments, LOG_WITHIN_MS)].join('\n');
      }),
    );
    const file = `failures-${way.replaceAll(' ', '-')}-${new Date(from).toISOString().replaceAll(':', '')}.log`;
    await writeFile(join(this.results, file), `${parts.join('\n')}\n`);
    this.onProgress(`what the frontends wrote around ${failures.length} failures: ${join(this.results, file)}`);
  }

  #input(style: 'careful' | 'strict') {
    const { lab } = this;
    return lab.input(TO, {
      policy: {
        gates: { staging: [], live: [] },
        roll: { style },
        settle: { atLeast: 20_000, reason: 'bench: the roll alone is measured' },
        // The bench judges the roll by itself. The beat is that of a usual window: a shorter one takes CPU from the servers.
        observation: {
          window: 30_000,
          beat: 10_000,
          extensions: 0,
          bounds: { minRequests: 0, latencyFactor: 100, latencyRiseMs: 60_000 },
        },
        watchLive: 0,
      },
    });
  }
}

function rounds(): number {
  const wanted = Number(process.env['ROUNDS'] ?? DEFAULT_ROUNDS);
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  throw new TypeError(`ROUNDS is "${process.env['ROUNDS'] ?? ''}"; expected a whole number above 0`);
}

function chosenWays(): readonly Way[] {
  const wanted = process.env['WAYS']?.split(',').map((each) => each.trim());
  if (wanted === undefined) return WAYS;
  const unknown = wanted.find((each) => !WAYS.some((way) => way === each));
  if (unknown !== undefined) throw new TypeError(`WAYS has "${unknown}"; expected some of ${WAYS.join(', ')}`);
  return WAYS.filter((way) => wanted.includes(way));
}

/** The same ways, beginning with another one each time. */
function rotated(ways: readonly Way[], round: number): Way[] {
  const by = Math.floor(round) % ways.length;
  return [...ways.slice(by), ...ways.slice(0, by)];
}
