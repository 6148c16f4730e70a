/** Apache Superset, served as its documentation shows for gunicorn: the factory `superset.app:create_app()`. */
import type { Application } from '../lib/description.ts';
import { json, urlEncoded, type Visitor } from '../lib/visitor.ts';

export const application: Application = {
  name: 'superset',
  title: 'Apache Superset',
  python: '3.11',
  // Superset 6.1.0 imports cachetools and rich without requiring them, and fails with flask-caching 2.4 or newer.
  requirements: ['apache-superset', 'gunicorn', 'psycopg2-binary', 'redis', 'cachetools', 'rich', 'flask-caching<2.4'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, postgresql, redis }) => ({
    SUPERSET_CONFIG_PATH: `${folder}/superset_config.py`,
    FLASK_APP: 'superset.app:create_app()',
    SITE_DATABASE: `postgresql+psycopg2://postgres@127.0.0.1:${postgresql?.port}/${postgresql?.database}`,
    SITE_REDIS: `redis://127.0.0.1:${redis?.port}/0`,
  }),
  filling: () => [
    ['superset', 'db', 'upgrade'],
    ['superset', ...CREATE_ADMIN.split(' ')],
    ['superset', 'init'],
    ['python', 'fill.py'],
  ],
  module: 'superset.app:create_app()',
  serverArguments: ['--threads', '4'],
  workers: 2,
  readyPath: '/health',
  startPaths: [
    '/',
    '/superset/welcome/',
    '/dashboard/list/',
    '/superset/dashboard/sales/',
    '/superset/dashboard/nothing/',
    '/chart/list/',
    '/explore/?slice_id=1',
    '/tablemodelview/list/',
    '/sqllab/',
    '/databaseview/list/',
    '/users/list/',
    '/roles/list/',
    '/api/v1/dashboard/',
    '/api/v1/dashboard/1',
    '/api/v1/dashboard/sales/charts',
    '/api/v1/dashboard/sales/datasets',
    '/api/v1/dashboard/99',
    '/api/v1/dashboard/_info',
    '/api/v1/dashboard/related/owners',
    '/api/v1/dashboard/export/?q=!(1)',
    '/api/v1/chart/',
    '/api/v1/chart/1',
    '/api/v1/chart/1/data/',
    '/api/v1/chart/_info',
    '/api/v1/dataset/',
    '/api/v1/dataset/1',
    '/api/v1/dataset/1/related_objects',
    '/api/v1/database/',
    '/api/v1/database/1',
    '/api/v1/database/1/schemas/',
    '/api/v1/database/1/tables/?q=(schema_name:public)',
    '/api/v1/database/1/function_names/',
    '/api/v1/database/available/',
    '/api/v1/explore/?slice_id=1',
    '/api/v1/log/recent_activity/',
    '/api/v1/me/',
    '/api/v1/me/roles/',
    '/api/v1/menu/',
    '/api/v1/saved_query/',
    '/api/v1/sqllab/',
    '/api/v1/tag/',
    '/api/v1/theme/',
    '/api/v1/_openapi',
    '/swagger/v1',
    '/health',
    '/nowhere',
  ],
  crawlLimit: 55,
  leftOut: [{ pattern: /logout/, because: 'logs out' }],
  logIn: async (visitor) => {
    const page = await visitor.get('/login/');
    const token = /name="csrf_token"[^>]*value="([^"]+)"/.exec(page.body.toString())?.[1] ?? '';
    await visitor.post('/login/', urlEncoded({ username: 'admin', password: 'changeme-1', csrf_token: token }));
    const me = await visitor.get('/api/v1/me/');
    if (me.status !== 200) throw new Error('not logged in');
  },
  act: async (visitor) => {
    const csrf = await visitor.get('/api/v1/security/csrf_token/');
    const { result } = JSON.parse(csrf.body.toString()) as { result: string };
    const headers = { 'x-csrftoken': result, referer: `http://${visitor.host}/` };
    await visitor.post('/api/v1/dashboard/', json({ dashboard_title: 'By a visitor', slug: 'mine' }), headers);
    await visitor.post('/api/v1/dashboard/', json({ dashboard_title: 'Twice', slug: 'mine' }), headers);
    await visitor.get('/api/v1/dashboard/mine');
    await visitor.send('PUT', '/api/v1/dashboard/2', json({ dashboard_title: 'Changed', published: true }), headers);
    const chart = {
      slice_name: 'New',
      viz_type: 'pie',
      datasource_id: 1,
      datasource_type: 'table',
      params: '{}',
      dashboards: [2],
    };
    await visitor.post('/api/v1/chart/', json(chart), headers);
    await visitor.post('/api/v1/chart/', json({ slice_name: 'No type of its data' }), headers);
    await askForData(visitor, headers);
    const query = {
      database_id: 1,
      sql: 'SELECT country, sum(amount) FROM sale GROUP BY 1 ORDER BY 1',
      schema: 'public',
      runAsync: false,
    };
    await visitor.post('/api/v1/sqllab/execute/', json({ ...query, client_id: 'a1234567890' }), headers);
    await visitor.post(
      '/api/v1/sqllab/execute/',
      json({ ...query, client_id: 'b1234567890', sql: 'SELECT * FROM nothing' }),
      headers,
    );
    await visitor.post('/api/v1/sqllab/format_sql/', json({ sql: 'select 1 from sale where amount>3' }), headers);
    await visitor.post(
      '/api/v1/saved_query/',
      json({ db_id: 1, label: 'Saved', schema: 'public', sql: 'SELECT 1' }),
      headers,
    );
    await visitor.get('/api/v1/saved_query/1');
    await visitor.post('/api/v1/dashboard/', json({ dashboard_title: 'Without a token' }));
    await visitor.send('DELETE', '/api/v1/dashboard/2', null, headers);
    await visitor.get('/api/v1/dashboard/2');
  },
  loadPerSecond: 5,
};

const CREATE_ADMIN =
  'fab create-admin --username admin --password changeme-1 --firstname A --lastname D --email a@example.com';

async function askForData(visitor: Visitor, headers: Record<string, string>): Promise<void> {
  const of = { datasource: { id: 1, type: 'table' }, force: false, result_format: 'json', result_type: 'full' };
  const queries = [{ columns: ['country'], metrics: ['total'], orderby: [['country', true]], row_limit: 10 }];
  await visitor.post('/api/v1/chart/data', json({ ...of, queries }), headers);
  await visitor.post('/api/v1/chart/data', json({ ...of, queries }), headers);
  await visitor.post('/api/v1/chart/data', json({ ...of, queries, result_format: 'csv' }), headers);
}
