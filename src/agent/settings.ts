/** gunicorn's settings that the supervisor acts on, as a mold tells them. Times are seconds. */
import * as v from 'valibot';
import { ownSettings } from './own-settings.ts';

export const integer = v.pipe(v.number(), v.integer());
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const seconds = v.pipe(v.number(), v.minValue(0));

export const address = v.variant('kind', [
  v.object({ kind: v.literal('tcp'), host: v.string(), port: integer }),
  v.object({ kind: v.literal('unix'), path: v.string() }),
  /** A socket that the supervisor was started with. */
  v.object({ kind: v.literal('fd'), descriptor: count }),
]);
export type Address = v.InferOutput<typeof address>;

/** agent/cowherd_agent/logs/syslog_relay.py explains the fields. */
const syslogTarget = v.object({
  path: v.nullable(v.string()),
  host: v.nullable(v.string()),
  port: v.nullable(integer),
  kind: v.nullable(v.picklist(['dgram', 'stream'])),
  facility: count,
  prefix: v.string(),
});
export type SyslogTarget = v.InferOutput<typeof syslogTarget>;

/** What gunicorn's own command, gunicornc, connects to (src/supervisor/gunicorn). */
const controlSocket = v.object({
  path: v.string(),
  mode: count,
  /** Whether the settings name the path; it is gunicorn's default otherwise. */
  is_chosen: v.boolean(),
  /** Whether the herd's own listeners speak TLS. */
  is_tls: v.boolean(),
  /** The values that `show config` prints, as gunicorn itself chooses and forms them. */
  config: v.record(v.string(), v.unknown()),
});
export type ControlSocket = v.InferOutput<typeof controlSocket>;

/** What it takes to listen; also in the keeper's command. */
export const listening = {
  addresses: v.array(address),
  backlog: integer,
  reuse_port: v.boolean(),
  umask: integer,
  uid: integer,
  gid: integer,
};

/** As read by gunicorn's own code. */
export const settings = v.object({
  app: v.string(),
  proc_name: v.string(),
  chdir: v.string(),
  ...listening,
  workers: count,
  threads: integer,
  worker_class: v.string(),
  timeout_seconds: seconds,
  graceful_timeout_seconds: seconds,
  pidfile: v.nullable(v.string()),
  daemon: v.boolean(),
  reload: v.boolean(),
  log_level: v.string(),
  errorlog: v.string(),
  /** Where the supervisor's own log lines go as well. */
  syslog: v.optional(v.nullable(syslogTarget)),
  /** Which figures of gunicorn's arbiter the mold's logger takes (agent/cowherd_agent/mold/gauges.py). */
  gauges: v.optional(v.object({ workers: v.boolean(), backlog: v.boolean() })),
  /** gunicorn's own control socket; null if it is off, or if this gunicorn has none. */
  control_socket: v.optional(v.nullable(controlSocket)),
  max_requests: count,
  max_requests_jitter: count,
  ...ownSettings,
});
export type Settings = v.InferOutput<typeof settings>;
