/**
 * Prefect's server, as `prefect server start --workers N --no-services` runs it: an ASGI factory under uvicorn's
 * worker.
 */
import type { Application } from '../lib/description.ts';
import { json, type Visitor } from '../lib/visitor.ts';

export const application: Application = {
  name: 'prefect',
  title: 'Prefect server',
  python: '3.13',
  requirements: ['prefect', 'prefect-redis', 'gunicorn', 'uvicorn-worker'],
  services: ['postgresql', 'redis'],
  environment: ({ postgresql, redis, port }) => ({
    PREFECT_API_DATABASE_CONNECTION_URL: `postgresql+asyncpg://postgres:none@127.0.0.1:${postgresql?.port}/${postgresql?.database}`,
    PREFECT_API_DATABASE_MIGRATE_ON_START: 'false',
    PREFECT_API_BLOCKS_REGISTER_ON_START: 'false',
    PREFECT_MESSAGING_BROKER: 'prefect_redis.messaging',
    PREFECT_MESSAGING_CACHE: 'prefect_redis.messaging',
    PREFECT_SERVER_EVENTS_CAUSAL_ORDERING: 'prefect_redis.ordering',
    PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE: 'prefect_redis.lease_storage',
    PREFECT_REDIS_MESSAGING_HOST: '127.0.0.1',
    PREFECT_REDIS_MESSAGING_PORT: String(redis?.port),
    PREFECT_REDIS_MESSAGING_DB: '0',
    PREFECT_SERVER_DOCKET_URL: `redis://127.0.0.1:${redis?.port}/1`,
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    PREFECT_UI_API_URL: `http://127.0.0.1:${port}/api`,
    // `prefect server start` sets these for its workers.
    PREFECT__SERVER_WEBSERVER_ONLY: '1',
    PREFECT__SERVER_FINAL: '1',
  }),
  filling: () => [
    ['prefect', 'server', 'database', 'upgrade', '--yes'],
    ['python', 'fill.py'],
  ],
  module: 'prefect.server.api.server:create_app()',
  serverArguments: ['--worker-class', 'uvicorn_worker.UvicornWorker'],
  workers: 2,
  readyPath: '/api/health',
  startPaths: [
    '/',
    '/api/health',
    '/api/ready',
    '/api/version',
    '/api/hello',
    '/api/admin/version',
    '/api/flows/name/flow-3',
    '/api/flows/name/nothing',
    '/api/variables/name/variable_2',
    '/api/variables/name/nothing',
    '/api/block_types/slug/secret',
    '/api/block_types/slug/nothing',
    '/api/collections/views/aggregate-worker-metadata',
    '/api/work_pools/pool',
    '/api/work_pools/nothing',
    '/api/flow_runs/not-a-uuid',
    '/api/csrf-token?client=me',
    '/openapi.json',
    '/docs',
    '/api/nowhere',
    '/dashboard',
  ],
  crawlLimit: 45,
  act: async (visitor) => {
    const flow = await made(visitor, '/api/flows/', { name: 'by-a-visitor', tags: ['new'] });
    await visitor.get(`/api/flows/${flow}`);
    const run = await made(visitor, '/api/flow_runs/', {
      flow_id: flow,
      name: 'first',
      parameters: { depth: 3 },
      state: { type: 'PENDING' },
    });
    await visitor.post(`/api/flow_runs/${run}/set_state`, json({ state: { type: 'RUNNING' } }));
    const task = await made(visitor, '/api/task_runs/', {
      flow_run_id: run,
      task_key: 'task',
      dynamic_key: '0',
      name: 'task-0',
    });
    await visitor.post(`/api/task_runs/${task}/set_state`, json({ state: { type: 'COMPLETED' } }));
    await visitor.post(`/api/flow_runs/${run}/set_state`, json({ state: { type: 'COMPLETED', message: 'done' } }));
    await visitor.get(`/api/flow_runs/${run}`);
    await visitor.get(`/api/flow_runs/${run}/graph-v2`);
    await visitor.send('PATCH', `/api/flow_runs/${run}`, json({ name: 'renamed' }));
    const log = { name: 'a', level: 20, message: 'said', timestamp: '2026-01-01T00:00:00Z', flow_run_id: run };
    await visitor.post('/api/logs/', json([log]));
    await visitor.post('/api/logs/filter', json({ logs: { flow_run_id: { any_: [run] } } }));
    const variable = await made(visitor, '/api/variables/', { name: 'by_a_visitor', value: { a: [1, 2, 3] } });
    await visitor.post('/api/variables/', json({ name: 'by_a_visitor', value: 1 }));
    await visitor.send('DELETE', `/api/variables/${variable}`, null);
    await visitor.post('/api/work_pools/', json({ name: 'new pool', type: 'process' }));
    await visitor.post('/api/flows/', json({ nothing: true }));
    await readAll(visitor);
  },
  actAgain: readAll,
  loadPerSecond: 8,
};

/** Requests the lists, which takes POST in Prefect. */
async function readAll(visitor: Visitor): Promise<void> {
  for (const kind of [
    'flows',
    'flow_runs',
    'task_runs',
    'deployments',
    'variables',
    'work_pools',
    'block_types',
    'automations',
  ]) {
    // By default runs come in the order of their random ids.
    const order = kind === 'flow_runs' ? { sort: 'EXPECTED_START_TIME_ASC' } : {};
    await visitor.post(`/api/${kind}/filter`, json({ limit: 20, ...order }));
  }
  for (const kind of ['flows', 'flow_runs', 'task_runs', 'deployments', 'variables']) {
    await visitor.post(`/api/${kind}/count`, json({}));
  }
  const hour = {
    history_start: '2026-01-01T00:00:00Z',
    history_end: '2026-01-02T00:00:00Z',
    history_interval_seconds: 21_600,
  };
  await visitor.post('/api/flow_runs/history', json(hour));
  await made(visitor, '/api/flows/', { name: `again-${visitor.exchanges.length}` });
}

async function made(visitor: Visitor, path: string, content: unknown): Promise<string> {
  const answer = await visitor.post(path, json(content));
  const { id } = JSON.parse(answer.body.toString()) as { id?: string };
  if (id === undefined) throw new Error(`${path}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
  return id;
}
