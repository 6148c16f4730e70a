/** Label Studio, served as in its own container: `core.wsgi` with the settings of the application. */
import type { Application, Site } from '../lib/description.ts';
import { json, multipart, type Visitor } from '../lib/visitor.ts';

const manage = (site: Site): string => `${site.packages}/label_studio/manage.py`;

export const application: Application = {
  name: 'label-studio',
  title: 'Label Studio',
  python: '3.12',
  requirements: ['label-studio', 'gunicorn'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, packages, postgresql, redis }) => ({
    DJANGO_SETTINGS_MODULE: 'core.settings.label_studio',
    PYTHONPATH: `${packages}/label_studio`,
    LABEL_STUDIO_BASE_DATA_DIR: `${folder}/data`,
    DJANGO_DB: 'default',
    POSTGRE_USER: 'postgres',
    POSTGRE_PASSWORD: 'none',
    POSTGRE_HOST: '127.0.0.1',
    POSTGRE_PORT: String(postgresql?.port),
    POSTGRE_NAME: String(postgresql?.database),
    REDIS_ENABLED: 'true',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis?.port),
    // A test must send nothing to the makers of Label Studio.
    SENTRY_DSN: '',
    FRONTEND_SENTRY_DSN: '',
    COLLECT_ANALYTICS: 'false',
    LATEST_VERSION_CHECK: 'false',
    LOG_LEVEL: 'ERROR',
  }),
  filling: (site) => [
    ['python', manage(site), 'migrate', '--verbosity', '0'],
    ['python', manage(site), 'collectstatic', '--no-input', '--verbosity', '0'],
    ['python', 'fill.py'],
  ],
  module: 'core.wsgi',
  serverArguments: [],
  workers: 2,
  readyPath: '/health',
  startPaths: [
    '/',
    '/projects/',
    '/projects/1/data',
    '/projects/1/settings',
    '/user/account',
    '/organization/',
    '/api/projects/?page_size=10',
    '/api/projects/1/',
    '/api/projects/99/',
    '/api/projects/1/validate/',
    '/api/projects/1/export/formats',
    '/api/projects/1/next',
    '/api/tasks/?project=1&page_size=5&fields=all',
    '/api/tasks/1/',
    '/api/tasks/99999/',
    '/api/tasks/1/annotations/',
    '/api/annotations/1/',
    '/api/dm/views/?project=1',
    '/api/dm/project/?project=1',
    '/api/dm/columns/?project=1',
    '/api/dm/actions/?project=1',
    '/api/users/',
    '/api/current-user/whoami',
    '/api/organizations/',
    '/api/organizations/1/memberships?page_size=10',
    '/api/ml/?project=1',
    '/api/storages/types',
    '/api/storages/export/types',
    '/api/webhooks/?project=1',
    '/api/webhooks/info/',
    '/api/labels/',
    '/api/label_links/?project=1',
    '/api/templates',
    '/api/projects/1/export?exportType=JSON',
    '/api/projects/1/export?exportType=CSV',
    '/nowhere',
    '/admin/',
    '/docs/api/?format=openapi',
  ],
  crawlLimit: 55,
  leftOut: [
    { pattern: /logout/, because: 'logs out' },
    {
      pattern: /^\/(api\/)?version/,
      because:
        'a worker that has answered it has other pages from then on (it keeps what it has told), whatever the server',
    },
  ],
  logIn: async (visitor) => {
    await visitor.submit('/user/login/', { email: 'admin@example.com', password: 'changeme-1' });
  },
  act: async (visitor) => {
    const made = await visitor.post(
      '/api/projects/',
      json({ title: 'By a visitor', label_config: CONFIG }),
      forged(visitor),
    );
    const { id } = JSON.parse(made.body.toString()) as { id: number };
    await visitor.post('/api/projects/', json({ title: 'Broken', label_config: '<View>' }), forged(visitor));
    await visitor.post(`/api/projects/${id}/import`, json([{ text: 'one' }, { text: 'zwei ü' }]), forged(visitor));
    const table = { name: 'tasks.csv', type: 'text/csv', content: Buffer.from('text\nthree\nfour\n') };
    await visitor.post(`/api/projects/${id}/import`, await multipart({}, { file: table }), forged(visitor));
    const next = await visitor.get(`/api/projects/${id}/next`);
    const task = (JSON.parse(next.body.toString()) as { id: number }).id;
    const result = [{ from_name: 'kind', to_name: 'text', type: 'choices', value: { choices: ['good'] } }];
    await visitor.post(`/api/tasks/${task}/annotations/`, json({ result, lead_time: 2.5 }), forged(visitor));
    await visitor.send('PATCH', `/api/tasks/${task}/`, json({ data: { text: 'changed' } }), forged(visitor));
    await visitor.get(`/api/projects/${id}/export?exportType=JSON`);
    await visitor.get(`/api/projects/${id}/export?exportType=CSV`);
    await visitor.post(
      '/api/dm/views/',
      json({ project: id, data: { title: 'View', filters: { conjunction: 'and', items: [] } } }),
      forged(visitor),
    );
    await visitor.get(`/api/dm/views/?project=${id}`);
    await visitor.get(`/api/tasks/?project=${id}&page=1&page_size=10`);
    await visitor.send('DELETE', `/api/tasks/${task}/`, null, forged(visitor));
    await visitor.post('/api/projects/', json({ title: 'Without a token' }));
    await visitor.get(`/projects/${id}/data`);
  },
  loadPerSecond: 5,
};

/** Headers with the CSRF token, by which Django knows that its own page has sent a request. */
function forged(visitor: Visitor): Record<string, string> {
  return { 'x-csrftoken': visitor.cookies.get('csrftoken') ?? '', referer: `http://${visitor.host}/projects/` };
}

const CONFIG = `<View><Text name="text" value="$text"/>
<Choices name="kind" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>`;
