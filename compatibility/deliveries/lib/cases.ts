/** The cases: an application, what it delivers, and where that is counted. Plain data. */

/** `file`: lines that the application writes; `counters`: those of prometheus_client; the others are servers. */
export type SinkKind =
  | 'otlp_http'
  | 'otlp_grpc'
  | 'sentry'
  | 'text_over_http'
  | 'text_over_grpc'
  | 'redis'
  | 'file'
  | 'counters';

export interface Case {
  readonly name: string;
  readonly title: string;
  /** The name of the deliveries, in the plural. */
  readonly counted: string;
  /** A file in `applications/`, whose Flask application is `app`. */
  readonly application: string;
  readonly sink: SinkKind;
  /** Whether loading the application makes a delivery too. */
  readonly deliversAtImport: boolean;
  /** `requests`: one delivery for each request. `seconds`: one for each second, independent of requests. */
  readonly dueBy: 'requests' | 'seconds';
  /** The right answer to a request. */
  readonly answerTo: (number: number) => string;
  /** Program that starts the server's command. */
  readonly launcher: 'opentelemetry-instrument' | null;
  /** More variables for the application. The sink's port is in DELIVERIES_PORT, the file in DELIVERIES_FILE. */
  readonly environment: (sinkPort: number) => Readonly<Record<string, string>>;
}

const same = (number: number): string => String(number);
const reversed = (number: number): string => String(number).split('').reverse().join('');
const nothing = (): Record<string, string> => ({});

const usual = {
  deliversAtImport: true,
  dueBy: 'requests',
  answerTo: same,
  launcher: null,
  environment: nothing,
} as const;

const instrumented = {
  ...usual,
  counted: 'spans',
  application: 'plain',
  deliversAtImport: false,
  launcher: 'opentelemetry-instrument',
} as const;

/** The length of the matrix rows in `applications/inference.py`. */
const ROW_LENGTH = 256;

export const CASES: readonly Case[] = [
  {
    ...instrumented,
    name: 'otel-auto-http',
    title: 'OpenTelemetry, auto-instrumented, OTLP over HTTP',
    sink: 'otlp_http',
    environment: (port) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    }),
  },
  {
    ...instrumented,
    name: 'otel-auto-grpc',
    title: 'OpenTelemetry, auto-instrumented, OTLP over gRPC',
    sink: 'otlp_grpc',
    environment: (port) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    }),
  },
  {
    ...usual,
    name: 'otel-code',
    title: 'OpenTelemetry in code, a span at import',
    counted: 'spans',
    application: 'spans',
    sink: 'otlp_http',
  },
  {
    ...usual,
    name: 'sentry',
    title: 'Sentry, an event at import',
    counted: 'transactions',
    application: 'transactions',
    sink: 'sentry',
  },
  {
    ...usual,
    name: 'apscheduler',
    title: 'APScheduler, started at import',
    counted: 'jobs',
    application: 'jobs',
    sink: 'file',
    deliversAtImport: false,
    dueBy: 'seconds',
  },
  {
    ...usual,
    name: 'grpc',
    title: 'gRPC, a channel used at import',
    counted: 'calls',
    application: 'calls',
    sink: 'text_over_grpc',
    answerTo: reversed,
  },
  {
    ...usual,
    name: 'onnxruntime',
    title: 'onnxruntime, a session of four threads run at import',
    counted: 'runs',
    application: 'inference',
    sink: 'counters',
    answerTo: (number) => String(number * ROW_LENGTH),
  },
  {
    ...usual,
    name: 'scikit-learn',
    title: 'scikit-learn, boosting over OpenMP at import',
    counted: 'predictions',
    application: 'boosting',
    sink: 'counters',
  },
  {
    ...usual,
    name: 'thread-pool',
    title: 'ThreadPoolExecutor, used at import',
    counted: 'tasks',
    application: 'pool',
    sink: 'counters',
    answerTo: reversed,
  },
  {
    ...usual,
    name: 'loguru',
    title: 'loguru, `enqueue=True`',
    counted: 'lines',
    application: 'lines',
    sink: 'file',
  },
  {
    ...usual,
    name: 'redis',
    title: 'redis-py, a client used at import',
    counted: 'commands',
    application: 'redis_list',
    sink: 'redis',
  },
  {
    ...usual,
    name: 'requests',
    title: 'requests and urllib3, a session used at import',
    counted: 'posts',
    application: 'web_session',
    sink: 'text_over_http',
    answerTo: reversed,
  },
];
