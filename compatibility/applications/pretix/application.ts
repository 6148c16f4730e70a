/** pretix, a ticket shop: the shop, the control panel and the API. */
import type { Application } from '../lib/description.ts';
import { json } from '../lib/visitor.ts';

export const application: Application = {
  name: 'pretix',
  title: 'pretix',
  python: '3.12',
  requirements: ['pretix', 'gunicorn'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, port, postgresql, redis }) => ({
    DJANGO_SETTINGS_MODULE: 'pretix.settings',
    PRETIX_CONFIG_FILE: '/nonexistent',
    PRETIX_PRETIX_DATADIR: `${folder}/data`,
    PRETIX_PRETIX_URL: `http://127.0.0.1:${port}`,
    PRETIX_PRETIX_ECB_RATES: 'off',
    PRETIX_DJANGO_SECRET: 'a-secret-of-the-test-that-is-long-enough',
    PRETIX_DATABASE_BACKEND: 'postgresql',
    PRETIX_DATABASE_NAME: String(postgresql?.database),
    PRETIX_DATABASE_USER: 'postgres',
    PRETIX_DATABASE_HOST: '127.0.0.1',
    PRETIX_DATABASE_PORT: String(postgresql?.port),
    PRETIX_REDIS_LOCATION: `redis://127.0.0.1:${redis?.port}/0`,
    PRETIX_REDIS_SESSIONS: 'true',
    PRETIX_MAIL_HOST: '127.0.0.1',
    PRETIX_MAIL_PORT: '1',
  }),
  filling: () => [
    ['python', '-m', 'pretix', 'migrate', '--verbosity', '0'],
    ['python', 'fill.py'],
  ],
  module: 'pretix.wsgi',
  serverArguments: [],
  workers: 2,
  readyPath: '/healthcheck/',
  startPaths: [
    '/fair/',
    '/fair/day/',
    '/fair/day/?lang=de',
    '/fair/day/ical/',
    '/fair/day/cart/',
    '/fair/nothing/',
    '/control/',
    '/control/events/',
    '/control/event/fair/day/',
    '/control/event/fair/day/items/',
    '/control/event/fair/day/orders/',
    '/control/event/fair/day/settings/',
    '/control/organizer/fair/',
    '/api/v1/organizers/',
    '/api/v1/organizers/fair/events/',
    '/api/v1/organizers/fair/events/day/',
    '/api/v1/organizers/fair/events/day/items/',
    '/api/v1/organizers/fair/events/day/orders/',
    '/api/v1/organizers/fair/events/day/quotas/?with_availability=true',
    '/api/v1/organizers/fair/events/day/nothing/',
  ],
  crawlLimit: 60,
  leftOut: [{ pattern: /logout|\/control\/global\/update/, because: 'logs out, or asks its makers for news' }],
  logIn: async (visitor) => {
    await visitor.submit('/control/login', { email: 'admin@example.com', password: 'changeme-1' });
  },
  act: async (visitor) => {
    const token = { authorization: 'Token test-token-of-the-test' };
    const event = '/api/v1/organizers/fair/events/day';
    await visitor.get(`${event}/items/`, token);
    const item = { name: { en: 'By a visitor' }, default_price: '12.50', category: null };
    const made = await visitor.post(`${event}/items/`, json(item), token);
    const { id } = JSON.parse(made.body.toString()) as { id: number };
    await visitor.post(`${event}/items/`, json({ default_price: 'much' }), token);
    await visitor.send('PATCH', `${event}/items/${id}/`, json({ active: false }), token);
    await visitor.get(`${event}/items/${id}/`, token);
    await visitor.post(
      `${event}/vouchers/`,
      json({ code: 'GIFT', max_usages: 3, price_mode: 'percent', value: '10.00' }),
      token,
    );
    const order = {
      email: 'visitor@example.com',
      locale: 'en',
      sales_channel: 'web',
      payment_provider: 'manual',
      positions: [{ item: 1, variation: null, price: '23.00', attendee_name_parts: {}, answers: [] }],
    };
    await visitor.post(`${event}/orders/`, json(order), token);
    await visitor.get(`${event}/orders/?ordering=-datetime`, token);
    await visitor.post(`${event}/items/`, json(item));
    await visitor.submit('/fair/day/', { item_1: '1' }, { which: ({ action }) => action.includes('cart/add') });
    await visitor.get('/fair/day/');
    await visitor.submit('/control/event/fair/day/categories/add', { name_0: 'New', description_0: '' });
    await visitor.get('/control/event/fair/day/categories/');
    await visitor.submit('/control/event/fair/day/quotas/add', { name: 'New', size: '7' });
    await visitor.post('/control/event/fair/day/items/1/up', null);
  },
  loadPerSecond: 3,
};
