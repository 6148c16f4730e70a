/** A Flask application instrumented by OpenTelemetry's own launcher: every request is a span at a collector. */
import type { Application } from '../lib/description.ts';
import { json, urlEncoded } from '../lib/visitor.ts';

export const application: Application = {
  name: 'opentelemetry',
  title: 'Flask under opentelemetry-instrument',
  python: '3.13',
  requirements: [
    'opentelemetry-distro',
    'opentelemetry-exporter-otlp-proto-http',
    'opentelemetry-instrumentation-flask',
    'opentelemetry-instrumentation-logging',
    'opentelemetry-instrumentation-sqlite3',
    'opentelemetry-instrumentation-urllib3',
    'flask',
    'gunicorn',
  ],
  services: ['collector'],
  environment: ({ collector }) => ({
    OTEL_SERVICE_NAME: 'notes',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector?.port}`,
    OTEL_BSP_SCHEDULE_DELAY: '500',
  }),
  filling: () => [['python', 'fill.py']],
  module: 'served:app',
  serverArguments: ['--threads', '4'],
  workers: 4,
  launcher: 'opentelemetry-instrument',
  readyPath: '/whoami',
  startPaths: ['/', '/notes?page=3', '/notes/9999', '/nowhere', '/whoami', '/fails'],
  crawlLimit: 40,
  logIn: async (visitor) => {
    await visitor.post('/login', urlEncoded({ name: 'Ada' }));
  },
  act: async (visitor) => {
    for (let number = 0; number < 8; number += 1) await visitor.post('/notes', json({ text: `Another ${number}` }));
    await visitor.get('/notes?page=20');
    await visitor.post('/notes', urlEncoded({ text: 'no JSON' }));
    await visitor.send('DELETE', '/notes/1', null);
    await visitor.get('/whoami');
  },
  loadPerSecond: 20,
};
