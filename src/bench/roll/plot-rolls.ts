import { init, use } from 'echarts/core';
import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import type { MeasuredRoll } from './measured-roll.js';

use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const WIDTH = 900;
const PANEL = 190;
const TOP = 60;
/** Milliseconds: what both ends of the axis are, so that every panel has the same. */
const [LEAST, MOST] = [5, 10_000];
const COLOURS = { p99: '#2563eb', max: '#94a3b8', failed: '#dc2626' } as const;

/** The first roll of each way as a panel of its own, below each other: latencies of raw calls over time, on one axis for all; SVG. */
export function plotRolls(rolls: readonly MeasuredRoll[]): string {
  const first = rolls.filter(({ way }, index) => rolls.findIndex((one) => one.way === way) === index);
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: TOP + first.length * PANEL,
  });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      legend: { top: 5, itemGap: 50, data: Object.keys(NAMES).map((key) => NAMES[key as keyof typeof NAMES]) },
      title: first.map(({ way, seconds }, index) => ({
        text: `${way}: ${Math.round(seconds)} s, milliseconds of raw calls`,
        left: 70,
        top: TOP + index * PANEL - 25,
        textStyle: { fontSize: 13 },
      })),
      grid: first.map((_, index) => ({ left: 70, right: 20, top: TOP + index * PANEL, height: PANEL - 65 })),
      xAxis: first.map((_, index) => ({
        gridIndex: index,
        type: 'value',
        min: 0,
        max: Math.max(...first.map(({ seconds }) => Math.ceil(seconds / 10) * 10)),
        name: index === first.length - 1 ? 'seconds since the roll began' : '',
        nameLocation: 'middle',
        nameGap: 25,
      })),
      yAxis: first.map((_, index) => ({ gridIndex: index, type: 'log', min: LEAST, max: MOST })),
      series: first.flatMap(({ series }, index) => [
        line(
          'p99',
          index,
          series.map(({ second, p99 }) => [second, p99]),
        ),
        line(
          'max',
          index,
          series.map(({ second, max }) => [second, max]),
        ),
        {
          ...place(index),
          name: NAMES.failed,
          type: 'scatter' as const,
          symbolSize: 9,
          color: COLOURS.failed,
          data: series.filter(({ failed }) => failed > 0).map(({ second }) => [second, MOST / 2]),
        },
      ]),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

const NAMES = { p99: 'p99 of ten seconds', max: 'slowest', failed: 'one failed' } as const;

const place = (index: number) => ({ xAxisIndex: index, yAxisIndex: index });

function line(what: 'p99' | 'max', index: number, data: readonly (readonly number[])[]) {
  return {
    ...place(index),
    name: NAMES[what],
    type: 'line' as const,
    showSymbol: false,
    color: COLOURS[what],
    lineStyle: { width: what === 'p99' ? 2 : 1 },
    data: data.map((pair) => [...pair]),
  };
}
