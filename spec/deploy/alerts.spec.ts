import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { instruments } from '../../lib/observe/instruments.ts';
import { WorkersRegistry } from '../../lib/scale/workers/workers-registry.ts';
import { documentsOf, root } from './files.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const [file] = documentsOf<{ groups: readonly { name: string; rules: readonly Rule[] }[] }>(
  'deploy/prometheus/alerts.yaml',
);
const rules = (file?.groups ?? []).flatMap(group => group.rules);

const registry = new Registry();
instruments(registry);
const metrics = new Map([...(await labelsOf(registry)), ...(await labelsOf(new WorkersRegistry('job', () => [])))]);

/** The labels of each series that a registry shows. */
async function labelsOf(shown: Registry): Promise<[string, string[]][]> {
  return (await shown.getMetricsAsJSON()).flatMap(({ name, type }) => {
    const labels = (shown.getSingleMetric(name) as unknown as { labelNames: string[] }).labelNames;
    const isHistogram = String(type) === 'histogram';
    const names = isHistogram ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    return names.map((one): [string, string[]] => [one, isHistogram ? [...labels, 'le'] : labels]);
  });
}

/** Each metric in an expression, with the labels that it is asked for. */
function asked(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/\b(tidemark_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => ({
    name,
    labels: [...matchers.matchAll(/(\w+)\s*[=!]~?/g)].map(([, label]) => label as string),
  }));
}

describe('the alerts for Prometheus', () => {
  it('are there, each under a name of its own', () => {
    expect(rules.length).toBeGreaterThan(8);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it.each(rules.map(rule => [rule.alert, rule] as const))(
    '%s asks for metrics and labels that there are',
    (_, { expr }) => {
      const found = asked(expr);
      expect(found).not.toEqual([]);
      for (const { name, labels } of found) {
        expect([...metrics.keys()]).toContain(name);
        expect(metrics.get(name)).toEqual(expect.arrayContaining(labels));
      }
      const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
      expect(found.flatMap(({ name }) => metrics.get(name) ?? [])).toEqual(expect.arrayContaining(grouped));
      for (const [open, close] of ['()', '{}', '[]'])
        expect(expr.split(open as string).length).toBe(expr.split(close as string).length);
    },
  );

  it.each(rules.map(rule => [rule.alert, rule] as const))(
    '%s says what to do on a page that is there, and shows labels that its result has',
    (_, { expr, annotations: { summary, runbook } }) => {
      const [page = '', anchor] = runbook.split('#');
      const file = path.join(root, page);
      expect(existsSync(file), page).toBe(true);
      const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        (heading as string)
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
      expect(headings).toContain(anchor);
      const shown = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label as string);
      const [, outer = ''] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
      expect(outer.split(', ')).toEqual(expect.arrayContaining(shown));
    },
  );

  it('name outcomes, reasons and failures as the metrics do', () => {
    const values = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/(?:outcome|reason|what)=~?"([^"]*)"/g)].map(match => match[1]),
    );
    expect(new Set(values)).toEqual(new Set(['committed|skipped', 'abandoned', 'poison|dead letter', 'offset commit']));
  });

  it('are described, all of them, with their thresholds', () => {
    const page = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
    for (const { alert } of rules) expect(page).toContain(`\`${alert}\``);
  });
});
