/** NetBox: pages, REST API and GraphQL. */
import type { Application } from '../lib/description.ts';
import { json } from '../lib/visitor.ts';

export const application: Application = {
  name: 'netbox',
  title: 'NetBox',
  python: '3.12',
  requirements: ['netbox', 'gunicorn'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, postgresql, redis }) => ({
    DJANGO_SETTINGS_MODULE: 'netbox.settings',
    NETBOX_ROOT: folder,
    NETBOX_CONFIGURATION: 'configuration',
    PYTHONPATH: folder,
    PGPORT: String(postgresql?.port),
    PGDATABASE: String(postgresql?.database),
    REDIS_PORT: String(redis?.port),
  }),
  filling: () => [
    ['netbox', 'migrate', '--verbosity', '0'],
    ['netbox', 'collectstatic', '--no-input', '--verbosity', '0'],
    ['python', 'fill.py'],
    ['netbox', 'reindex', '--lazy'],
  ],
  module: 'netbox.wsgi',
  serverArguments: ['--threads', '3'],
  workers: 2,
  readyPath: '/login/',
  startPaths: [
    '/',
    '/dcim/sites/',
    '/dcim/sites/1/',
    '/dcim/devices/',
    '/dcim/devices/1/',
    '/dcim/devices/1/interfaces/',
    '/dcim/racks/1/',
    '/ipam/prefixes/',
    '/ipam/ip-addresses/?q=10.1',
    '/search/?q=switch',
    '/dcim/devices/?export',
    '/api/',
    '/api/status/',
    '/api/dcim/sites/',
    '/api/dcim/sites/1/',
    '/api/dcim/sites/99/',
    '/api/dcim/devices/?limit=5',
    '/api/ipam/prefixes/1/available-ips/',
    '/api/schema/',
    '/nowhere/',
  ],
  crawlLimit: 60,
  leftOut: [{ pattern: /logout/, because: 'logs out' }],
  logIn: async (visitor) => {
    await visitor.submit('/login/', { username: 'admin', password: 'changeme-1A' });
  },
  act: async (visitor) => {
    const headers = { 'x-csrftoken': visitor.cookies.get('csrftoken') ?? '', referer: `http://${visitor.host}/` };
    await visitor.post('/api/dcim/sites/', json({ name: 'By a visitor', slug: 'mine', status: 'active' }), headers);
    await visitor.post('/api/dcim/sites/', json({ name: 'By a visitor', slug: 'mine' }), headers);
    await visitor.get('/api/dcim/sites/?slug=mine');
    await visitor.send('PATCH', '/api/dcim/sites/6/', json({ description: 'changed ü' }), headers);
    await visitor.get('/dcim/sites/6/changelog/');
    await visitor.post('/api/ipam/prefixes/1/available-ips/', json({ description: 'next' }), headers);
    await visitor.post(
      '/graphql/',
      json({ query: '{ device_list(filters: {name: {starts_with: "switch-1"}}) { name site { name } } }' }),
      headers,
    );
    await visitor.post('/graphql/', json({ query: '{ nothing }' }), headers);
    const added = await visitor.submit('/dcim/manufacturers/add/', { name: 'Another maker', slug: 'another' });
    await visitor.follow(added);
    await visitor.submit('/dcim/manufacturers/add/', { name: 'Another maker', slug: 'another' });
    await visitor.submit('/tenancy/tenants/add/', { name: 'New tenant', slug: 'new' });
    await visitor.get('/tenancy/tenants/');
    await visitor.send('DELETE', '/api/dcim/sites/6/', null, headers);
    await visitor.get('/core/changelog/');
    await visitor.post('/api/dcim/sites/', json({ name: 'Without a token', slug: 'x' }));
  },
  loadPerSecond: 4,
};
