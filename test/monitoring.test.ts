/** What is ready-made for monitoring (examples/monitoring): each rule, query and manifest, against a real herd. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { freePort } from '../bench/lib/free-port.ts';
import { dashboard, DASHBOARD } from '../scripts/dashboard.ts';
import { CATALOGUE } from '../src/supervisor/metrics/catalogue.ts';
import { HELLO, serving } from './support/cowherd.ts';
import { needs } from './support/needs.ts';
import { type Prometheus, PROMETHEUS_NEEDED, startPrometheus } from './support/prometheus.ts';
import { until } from './support/until.ts';

const ROOT = path.join(import.meta.dirname, '..');
const EXAMPLES = path.join(ROOT, 'examples', 'monitoring');
const RULES = path.join(EXAMPLES, 'prometheus', 'rules.yml');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const alerts = rules.flatMap(({ alert }) => alert ?? []);
const records = rules.flatMap(({ record }) => record ?? []);

interface Target {
  readonly expr: string;
}
const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: { title: string; targets?: Target[] }[] };
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

const manifest = (name: string): string => readFileSync(path.join(EXAMPLES, 'kubernetes', name), 'utf8');
const podMonitor = parse(manifest('podmonitor.yaml')) as {
  metadata: { name: string };
  spec: { selector: { matchLabels: object }; podMetricsEndpoints: object[] };
};
const scaledObject = parse(manifest('scaledobject.yaml')) as {
  spec: { scaleTargetRef: { name: string }; triggers: { metadata: { query: string; threshold: string } }[] };
};
const scaling = scaledObject.spec.triggers.map(({ metadata }) => metadata.query);

test('every metric that a rule, a panel or KEDA asks for exists', () => {
  const known = new Set([
    ...records,
    ...Object.values(CATALOGUE).flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  ]);
  const all = [...rules, ...queries].map(({ expr }) => expr).concat(scaling);
  const asked = new Set(all.flatMap((expr) => expr.match(/\bcowherd[\w:]+/g) ?? []));
  expect(asked.size).toBeGreaterThan(25);
  expect([...asked].filter((name) => !known.has(name))).toEqual([]);
});

test('every alert has a page that says what to do', () => {
  expect(alerts.length).toBe(8);
  const page = readFileSync(path.join(ROOT, 'docs', 'monitoring.md'), 'utf8');
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(alerts);
  for (const { alert, annotations } of rules) {
    if (alert !== undefined) expect(annotations?.['runbook']).toBe(`docs/monitoring.md#${alert.toLowerCase()}`);
  }
});

test("the dashboard is what Grafana's library makes", () => {
  expect(JSON.parse(readFileSync(DASHBOARD, 'utf8'))).toEqual(JSON.parse(dashboard()));
  expect(panels.filter(({ targets }) => targets !== undefined).length).toBeGreaterThan(20);
});

test('the manifests belong to the deployment of the Kubernetes example', () => {
  const [deployment] = parseAllDocuments(
    readFileSync(path.join(ROOT, 'examples', 'kubernetes', 'deployment.yaml'), 'utf8'),
  ).map((document) => document.toJS() as { metadata: { name: string }; spec: { selector: { matchLabels: object } } });
  expect(podMonitor.spec.selector.matchLabels).toEqual(deployment?.spec.selector.matchLabels);
  expect(scaledObject.spec.scaleTargetRef.name).toBe(deployment?.metadata.name);
  // The Prometheus operator names the job after the namespace and the monitor.
  expect(scaling).toEqual([`sum(cowherd:workers_busy:ratio{job="default/${podMonitor.metadata.name}"})`]);
});

describe('with Prometheus', needs(PROMETHEUS_NEEDED), () => {
  let prometheus: Prometheus | null = null;
  afterEach(() => prometheus?.stop());

  test('every alert fires in its own case, and is silent otherwise', () => {
    const folder = path.dirname(RULES);
    for (const args of [
      ['check', 'rules', 'rules.yml'],
      ['test', 'rules', 'rules.test.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
    }
    const cases = parse(readFileSync(path.join(folder, 'rules.test.yml'), 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
    };
    const tests = cases.tests.flatMap((each) => each.alert_rule_test);
    const named = (fires: boolean): Set<string> =>
      new Set(tests.filter((each) => (each.exp_alerts !== undefined) === fires).map(({ alertname }) => alertname));
    expect([...named(true)].sort()).toEqual(alerts.toSorted());
    expect([...named(false)].sort()).toEqual(alerts.toSorted());
  });

  test('a healthy herd answers every query, and raises no alert', async () => {
    const port = await freePort();
    const run = await serving(['hello:app', '--workers', '2', '--metrics', `127.0.0.1:${port}`], {
      files: { 'hello.py': HELLO },
    });
    prometheus = await startPrometheus(port, [RULES]);
    const { ask, get } = prometheus;
    const asked = [
      ...queries.map(({ title, expr }) => ({
        title,
        expr: expr.replaceAll('$job', 'herd').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '4s'),
      })),
      ...records.map((record) => ({ title: record, expr: record })),
      ...scaling.map((query) => ({ title: 'KEDA', expr: query.replace(/job="[^"]*"/, 'job="herd"') })),
    ];
    await until('each query has an answer', async () => {
      for (let count = 0; count < 5; count += 1) await run.get('/');
      for (const { expr } of asked) if ((await ask(expr).catch(() => [])).length === 0) return false;
      return true;
    });
    for (const { title, expr } of asked) expect((await ask(expr)).length, `${title}: ${expr}`).toBeGreaterThan(0);
    const { groups } = (await get('rules')) as {
      groups: { rules: { name: string; health: string; state?: string }[] }[];
    };
    const evaluated = groups.flatMap((group) => group.rules);
    expect(evaluated.length).toBe(rules.length);
    expect(evaluated.filter(({ health, state }) => health !== 'ok' || (state ?? 'inactive') !== 'inactive')).toEqual(
      [],
    );
    await run.stop();
  });
});
