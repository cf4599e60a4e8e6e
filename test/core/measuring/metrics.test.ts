import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { diffCounters, parseMetrics, sumCounters } from '../../../src/core/measuring/metrics.js';

/** What a real server 1.29.1 with all roles in one process served, before and after three lists and one describe. */
const page = async (name: 'before' | 'after'): Promise<string> =>
  readFile(new URL(`../../fixtures/metrics-1.29.1-${name}.txt`, import.meta.url), 'utf8');

describe('a page of text', () => {
  test.each([
    ['restarts 4', { name: 'restarts', labels: {}, value: 4 }],
    ['restarts{service_name="history"} 1', { name: 'restarts', labels: { service_name: 'history' }, value: 1 }],
    ['a{b="x",c="y",} 1.5e+03 1700000000000', { name: 'a', labels: { b: 'x', c: 'y' }, value: 1500 }],
    ['a { b = "x" , c = "y" } 2', { name: 'a', labels: { b: 'x', c: 'y' }, value: 2 }],
    ['a{} 1', { name: 'a', labels: {}, value: 1 }],
    ['a{b="} 9 {",c="\\"q\\" \\\\ \\n"} 1', { name: 'a', labels: { b: '} 9 {', c: '"q" \\ \n' }, value: 1 }],
    ['a_bucket{le="+Inf"} 7 # {trace_id="x"} 0.5', { name: 'a_bucket', labels: { le: '+Inf' }, value: 7 }],
    ['a -Inf', { name: 'a', labels: {}, value: -Infinity }],
    ['a NaN', { name: 'a', labels: {}, value: NaN }],
    ['a 1\r', { name: 'a', labels: {}, value: 1 }],
  ])('%j', (line, sample) => {
    expect(parseMetrics(`# HELP a help\n# TYPE a counter\n\n${line}\n`)).toEqual([sample]);
  });

  test.each(['a{b="x" 1', 'a{b=x} 1', 'a{b="x} 1', 'a', 'a{b="x"}', 'a one', '{b="x"} 1', '# EOF', '<html>'])(
    'leaves out what is not well formed: %j',
    (line) => {
      expect(parseMetrics(`${line}\nok 1`)).toEqual([{ name: 'ok', labels: {}, value: 1 }]);
    },
  );

  test('whatever labels hold is read back', () => {
    const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((text) => text !== '__proto__');
    const escape = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
    // Only the line feed ends a line of this format; a lone carriage return inside a label is content.
    fc.assert(
      fc.property(
        name,
        fc.dictionary(name, fc.string({ unit: 'binary' })),
        fc.double({ noNaN: true }),
        (metric, labels, value) => {
          const text = Object.entries(labels).map(([key, content]) => `${key}="${escape(content)}"`);
          const [sample] = parseMetrics(`${metric}{${text.join(',')}} ${value}`);
          expect(sample?.name).toBe(metric);
          expect({ ...sample?.labels }).toEqual({ ...labels });
          expect(sample?.value === value).toBe(true);
        },
      ),
    );
  });
});

describe('sums', () => {
  test('over all series that have the labels', async () => {
    const samples = parseMetrics(await page('after'));
    expect(sumCounters(samples, 'numshards_gauge')).toBe(1);
    expect(sumCounters(samples, 'service_requests', { namespace: 'default', service_name: 'frontend' })).toBe(10);
    expect(sumCounters(samples, 'restarts')).toBe(4);
    expect(sumCounters(samples, 'restarts', { service_name: 'matching' })).toBe(1);
  });

  test('a counter that is not there is not 0', async () => {
    const samples = parseMetrics(await page('after'));
    expect(sumCounters(samples, 'service_panics')).toBeUndefined();
    expect(sumCounters(samples, 'service_requests', { namespace: 'nowhere' })).toBeUndefined();
    expect(sumCounters([], 'service_requests')).toBeUndefined();
  });

  test.each([
    ['', ''],
    ['temporal_', ''],
    ['', '_total'],
    ['my_temporal_', '_total'],
  ])('find out a prefix %j and a suffix %j', async (prefix, suffix) => {
    const text = (await page('after')).replace(/^([a-z_]+)([{ ])/gm, `${prefix}$1${suffix}$2`);
    const samples = parseMetrics(text);
    expect(sumCounters(samples, 'service_requests', { operation: 'ListWorkflowExecutions' })).toBe(3);
    expect(sumCounters(samples, 'visibility_persistence_requests')).toBe(5);
    const plain = sumCounters(parseMetrics(await page('after')), 'persistence_requests');
    expect(sumCounters(samples, 'persistence_requests')).toBe(plain);
  });

  test('a longer name that ends alike is another counter', () => {
    const samples = parseMetrics('t_restarts 1\nt_visibility_persistence_requests 5');
    expect(sumCounters(samples, 'persistence_requests')).toBeUndefined();
    const both = parseMetrics('t_persistence_requests 2\nt_visibility_persistence_requests 5');
    expect(sumCounters(both, 'persistence_requests')).toBe(2);
  });
});

describe('rises', () => {
  test('between two pages of one process', async () => {
    const { samples, reset } = diffCounters(parseMetrics(await page('before')), parseMetrics(await page('after')));
    const rose = (operation: string): number | undefined =>
      sumCounters(samples, 'service_requests', { operation, service_name: 'frontend' });
    expect(reset).toBe(false);
    expect(rose('ListWorkflowExecutions')).toBe(3);
    expect(rose('DescribeWorkflowExecution')).toBe(1);
    expect(sumCounters(samples, 'service_error_with_type', { service_name: 'frontend' })).toBe(1); // began in between
    expect(sumCounters(samples, 'restarts')).toBe(0);
  });

  test('a counter that fell was begun anew', () => {
    const { samples, reset } = diffCounters(
      parseMetrics('service_requests{o="a"} 90\nservice_requests{o="b"} 5'),
      parseMetrics('service_requests{o="a"} 10\nservice_requests{o="b"} 7'),
    );
    expect(reset).toBe(true);
    expect(sumCounters(samples, 'service_requests')).toBe(12);
  });

  test('a gauge that fell is no restart', () => {
    const { reset } = diffCounters(parseMetrics('num_goroutines 90'), parseMetrics('num_goroutines 80'));
    expect(reset).toBe(false);
  });

  test('the order of labels makes no other series', () => {
    const { samples } = diffCounters(parseMetrics('a{x="1",y="2"} 3'), parseMetrics('a{y="2",x="1"} 4'));
    expect(sumCounters(samples, 'a')).toBe(1);
  });
});
