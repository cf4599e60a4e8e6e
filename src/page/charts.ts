import { init, use, type EChartsCoreOption } from 'echarts/core';
import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import type { SpanEvidence } from '../core/evidence.js';
import type { ShardHistory } from '../core/settling/shard-history.js';
import type { PhaseResult } from '../core/status.js';

use([LineChart, ScatterChart, GridComponent, LegendComponent, MarkAreaComponent, TitleComponent, SVGRenderer]);

const WIDTH = 1_080;
const PANEL = 170;
const [LEFT, RIGHT, TOP] = [64, 16, 74];
/** Seen on white and on black. */
const INK = '#808891';
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6bb1', '#a6761d'] as const;
const [P50, P99, CALLS, REQUESTS, GAP] = COLOURS;
const FAILED = '#cf222e';
/** Phases shorter than this share of the time have no room for their name. */
const NAMED_SHARE = 0.045;

type Pair = readonly [at: number, value: number | null];
type Series = Readonly<Record<string, unknown>>;

/** A stretch of time with a name, shown behind the lines. */
interface Mark {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * What clients and servers measured in a span: latency, rate, gaps below each other on one axis of time, the phases marked. SVG;
 * undefined when nothing was measured.
 */
export function spanChart(span: SpanEvidence, phases: readonly PhaseResult[]): string | undefined {
  const { probe, traffic } = span;
  const panels = [latencyPanel(span), ratePanel(span), gapPanel(span)].filter((panel) => panel !== undefined);
  if (panels.length === 0 || probe.length + traffic.length === 0) return undefined;
  const marks = marksOf(phases);
  const axis = { min: Date.parse(span.from), max: Date.parse(span.to) };
  return draw(TOP + panels.length * PANEL, {
    legend: panels.map(({ series }, index) => ({
      ...LEGEND,
      top: TOP + index * PANEL - 28,
      right: RIGHT,
      data: series.map(({ name }) => String(name)),
    })),
    title: panels.map(({ title }, index) => ({
      text: title,
      left: LEFT,
      top: TOP + index * PANEL - 30,
      textStyle: { color: INK, fontSize: 13 },
    })),
    grid: panels.map((_, index) => ({ left: LEFT, right: RIGHT, top: TOP + index * PANEL, height: PANEL - 66 })),
    xAxis: panels.map((_, index) => ({ ...timeAxis(index), ...axis })),
    yAxis: panels.map(({ log }, index) => ({ ...valueAxis(index), ...(log === true ? { type: 'log' } : { min: 0 }) })),
    series: panels.flatMap(({ series }, index) =>
      series.map((one, at) => ({
        ...one,
        xAxisIndex: index,
        yAxisIndex: index,
        ...(at === 0 ? { markArea: markArea(marks, axis, index === 0) } : {}),
      })),
    ),
  });
}

/** Who owned how many shards while a settle was watched. SVG. */
export function shardChart({ owners, looks }: ShardHistory): string {
  // A row of the legend has room for about five addresses.
  const top = 34 + 20 * Math.floor((owners.length - 1) / 5);
  return draw(top + PANEL, {
    legend: { ...LEGEND, top: 8, left: LEFT, type: 'plain' },
    grid: [{ left: LEFT, right: RIGHT, top, height: PANEL - 30 }],
    xAxis: [timeAxis(0)],
    yAxis: [{ ...valueAxis(0), min: 0 }],
    series: owners.map((owner, index) => ({
      name: owner,
      type: 'line',
      stack: 'shards',
      step: 'end',
      showSymbol: false,
      color: COLOURS[index % COLOURS.length],
      lineStyle: { width: 1 },
      areaStyle: { opacity: 0.6 },
      data: looks.map(({ at, counts }) => [at, counts[index] ?? 0]),
    })),
  });
}

interface Panel {
  readonly title: string;
  readonly log?: true;
  readonly series: readonly Series[];
}

/** By the probe, which waits as clients do; by the servers' own measure where none ran. */
function latencyPanel({ probe, traffic }: SpanEvidence): Panel | undefined {
  const byProbe = probe.some(({ p99 }) => p99 !== null);
  const of = (which: 'p50' | 'p99'): Pair[] =>
    byProbe
      ? probe.map((point) => [point.at, point[which]])
      : traffic.map((point) => [point.at, which === 'p50' ? point.startP50 : point.startP99]);
  // An axis of logarithms has no zero.
  const above = (pairs: readonly Pair[]) => pairs.map(([at, value]): Pair => [at, value === 0 ? null : value]);
  if (of('p99').every(([, value]) => value === null)) return undefined;
  return {
    title: byProbe ? 'latency of raw calls, ms' : 'starting a workflow, by the servers, ms',
    log: true,
    series: [line('p50', P50, above(of('p50'))), line('p99', P99, above(of('p99')))],
  };
}

function ratePanel({ probe, traffic }: SpanEvidence): Panel | undefined {
  const all: (readonly [name: string, colour: string, data: readonly Pair[]])[] = [
    ['requests at the frontends', REQUESTS, traffic.map(({ at, requestsPerSecond }) => [at, requestsPerSecond])],
    ['errors at the frontends', FAILED, traffic.map(({ at, errorsPerSecond }) => [at, errorsPerSecond])],
    ['raw calls of the probe', CALLS, probe.map(({ at, perSecond }) => [at, perSecond])],
  ];
  const measured = all.filter(([, , data]) => data.some(([, value]) => value !== null));
  if (measured.length === 0) return undefined;
  return { title: 'rate, a second', series: measured.map(([name, colour, data]) => line(name, colour, data)) };
}

function gapPanel({ probe }: SpanEvidence): Panel | undefined {
  if (probe.every(({ longestGapMs }) => longestGapMs === null)) return undefined;
  const failed = probe.filter(({ failedAttempts, failedCalls }) => failedAttempts + failedCalls > 0);
  return {
    title: 'longest time without a success, ms',
    series: [
      // No bars: they would make the axis of time a longer one than that of the other panels.
      {
        ...line(
          'gap',
          GAP,
          probe.map(({ at, longestGapMs }) => [at, longestGapMs]),
        ),
        areaStyle: { opacity: 0.4 },
      },
      {
        name: 'a call failed',
        type: 'scatter',
        symbolSize: 9,
        color: FAILED,
        data: failed.map(({ at, longestGapMs }) => [at, longestGapMs ?? 0]),
      },
    ],
  };
}

function line(name: string, color: string, data: readonly Pair[]): Series {
  // Where nothing is known the line is broken.
  return { name, type: 'line', showSymbol: false, connectNulls: false, color, lineStyle: { width: 1.5 }, data };
}

function marksOf(phases: readonly PhaseResult[]): Mark[] {
  return phases.flatMap(({ phase, startedAt, seconds }) => {
    if (startedAt === undefined || seconds < 1) return [];
    const from = Date.parse(startedAt);
    return [{ name: phase, from, to: from + seconds * 1_000 }];
  });
}

function markArea(
  marks: readonly Mark[],
  { min, max }: { readonly min: number; readonly max: number },
  named: boolean,
) {
  return {
    silent: true,
    label: { color: INK, fontSize: 10, position: 'insideTop' },
    data: marks.map(({ name, from, to }, index) => [
      {
        name: named && to - from > (max - min) * NAMED_SHARE ? name : '',
        xAxis: from,
        itemStyle: { color: INK, opacity: index % 2 === 0 ? 0.16 : 0.07 },
      },
      { xAxis: to },
    ]),
  };
}

const LEGEND = { textStyle: { color: INK, fontSize: 11 }, itemHeight: 8, itemGap: 28, icon: 'roundRect' } as const;

function timeAxis(gridIndex: number) {
  return {
    gridIndex,
    type: 'time',
    axisLabel: { color: INK, hideOverlap: true, fontSize: 11 },
    axisLine: { lineStyle: { color: INK } },
    splitLine: { show: false },
  };
}

function valueAxis(gridIndex: number) {
  return {
    gridIndex,
    axisLabel: { color: INK, fontSize: 11 },
    splitLine: { lineStyle: { color: INK, opacity: 0.25 } },
    splitNumber: 3,
  };
}

function draw(height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, useUTC: true, backgroundColor: 'transparent', ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
