/** Nautobot: pages, REST API and GraphQL. */
import type { Application } from '../lib/description.ts';
import { json } from '../lib/visitor.ts';

export const application: Application = {
  name: 'nautobot',
  title: 'Nautobot',
  python: '3.12',
  requirements: ['nautobot', 'gunicorn'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, postgresql, redis }) => ({
    NAUTOBOT_ROOT: folder,
    NAUTOBOT_CONFIG: `${folder}/nautobot_config.py`,
    NAUTOBOT_ALLOWED_HOSTS: '127.0.0.1',
    NAUTOBOT_DB_NAME: String(postgresql?.database),
    NAUTOBOT_DB_USER: 'postgres',
    NAUTOBOT_DB_HOST: '127.0.0.1',
    NAUTOBOT_DB_PORT: String(postgresql?.port),
    NAUTOBOT_REDIS_HOST: '127.0.0.1',
    NAUTOBOT_REDIS_PORT: String(redis?.port),
    NAUTOBOT_SECRET_KEY: 'a-secret-of-the-test-that-is-long-enough-to-please-nautobot',
    NAUTOBOT_INSTALLATION_METRICS_ENABLED: 'false',
  }),
  filling: () => [
    ['nautobot-server', 'init', '--disable-installation-metrics'],
    ['nautobot-server', 'migrate', '--verbosity', '0'],
    ['nautobot-server', 'collectstatic', '--no-input', '--verbosity', '0'],
    ['python', 'fill.py'],
  ],
  module: 'nautobot.core.wsgi',
  serverArguments: ['--threads', '3'],
  workers: 2,
  readyPath: '/login/',
  startPaths: [
    '/',
    '/dcim/locations/',
    '/dcim/devices/',
    '/dcim/devices/?q=switch-1',
    '/dcim/manufacturers/',
    '/ipam/prefixes/',
    '/ipam/ip-addresses/',
    '/tenancy/tenants/',
    '/extras/statuses/',
    '/search/?q=switch',
    '/api/',
    '/api/status/',
    '/api/dcim/locations/',
    '/api/dcim/devices/?limit=5&depth=1',
    '/api/dcim/devices/00000000-0000-0000-0000-000000000000/',
    '/api/ipam/prefixes/?depth=0',
    '/api/extras/statuses/?limit=3',
    '/api/swagger.json',
    '/nowhere/',
  ],
  crawlLimit: 60,
  leftOut: [{ pattern: /logout/, because: 'logs out' }],
  logIn: async (visitor) => {
    await visitor.submit('/login/', { username: 'admin', password: 'changeme-1A' });
  },
  act: async (visitor) => {
    const headers = { 'x-csrftoken': visitor.cookies.get('csrftoken') ?? '', referer: `http://${visitor.host}/` };
    const made = await visitor.post('/api/dcim/manufacturers/', json({ name: 'By a visitor' }), headers);
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    await visitor.post('/api/dcim/manufacturers/', json({ name: 'By a visitor' }), headers);
    await visitor.get(`/api/dcim/manufacturers/${id}/`);
    await visitor.send('PATCH', `/api/dcim/manufacturers/${id}/`, json({ description: 'changed ü' }), headers);
    await visitor.get(`/dcim/manufacturers/${id}/`);
    await visitor.get(`/dcim/manufacturers/${id}/changelog/`);
    await visitor.post(
      '/api/graphql/',
      json({ query: '{ devices(name__isw: "switch-1") { name location { name } } }' }),
      headers,
    );
    await visitor.post('/api/graphql/', json({ query: '{ nothing }' }), headers);
    const added = await visitor.submit('/tenancy/tenants/add/', { name: 'New tenant' });
    await visitor.follow(added);
    await visitor.submit('/tenancy/tenants/add/', { name: 'New tenant' });
    await visitor.get('/tenancy/tenants/');
    await visitor.send('DELETE', `/api/dcim/manufacturers/${id}/`, null, headers);
    await visitor.get('/extras/object-changes/');
    await visitor.post('/api/dcim/manufacturers/', json({ name: 'Without a token' }));
  },
  loadPerSecond: 4,
};
