/** Indico: categories, events and their management. */
import type { Application } from '../lib/description.ts';
import { json, urlEncoded } from '../lib/visitor.ts';

export const application: Application = {
  name: 'indico',
  title: 'Indico',
  python: '3.13',
  requirements: ['indico', 'gunicorn'],
  services: ['postgresql', 'redis'],
  environment: ({ folder, port, postgresql, redis }) => ({
    INDICO_CONFIG: `${folder}/indico.conf`,
    SITE_DATABASE: `postgresql://postgres@127.0.0.1:${postgresql?.port}/${postgresql?.database}`,
    SITE_REDIS: `redis://127.0.0.1:${redis?.port}`,
    SITE_URL: `http://127.0.0.1:${port}`,
  }),
  filling: () => [
    ['python', 'prepare.py'],
    ['indico', 'db', 'prepare'],
    ['python', 'fill.py'],
  ],
  module: 'indico.web.flask.app:make_app()',
  serverArguments: [],
  workers: 2,
  readyPath: '/ping',
  startPaths: [
    '/',
    '/category/1/',
    '/category/1/overview',
    '/category/1/statistics',
    '/category/1/events.atom',
    '/category/1/events.ics',
    '/category/99/',
    '/event/1/',
    '/event/2/',
    '/event/3/',
    '/event/1/manage/',
    '/event/3/manage/timetable/',
    '/event/99/',
    '/event/1/event.ics',
    '/user/dashboard/',
    '/user/profile/',
    '/user/preferences/',
    '/admin/',
    '/admin/users/',
    '/category/1/manage/',
    '/search/?q=event',
    '/export/categ/1.json',
    '/export/event/1.json',
    '/api/user/',
    '/nowhere',
  ],
  crawlLimit: 60,
  leftOut: [{ pattern: /logout/, because: 'logs out' }],
  logIn: async (visitor) => {
    await visitor.submit('/login/?', { identifier: 'admin', password: 'changeme-1-and-longer' });
  },
  act: async (visitor) => {
    const page = await visitor.get('/user/profile/');
    const token = /csrf-token"[^>]*content="([^"]+)"/.exec(page.body.toString())?.[1] ?? '';
    const headers = { 'x-csrf-token': token, 'x-requested-with': 'XMLHttpRequest', referer: `http://${visitor.host}/` };
    await visitor.post(
      '/category/0/manage/subcategories/create',
      urlEncoded({ title: 'By a visitor', csrf_token: token }),
      headers,
    );
    await visitor.post(
      '/category/0/manage/subcategories/create',
      urlEncoded({ title: '', csrf_token: token }),
      headers,
    );
    await visitor.get('/category/4/');
    await visitor.post(
      '/category/1/manage/roles/create',
      urlEncoded({ name: 'Role', code: 'ROL', color: '005272', csrf_token: token }),
      headers,
    );
    await visitor.get('/category/1/manage/roles');
    await visitor.post(
      '/event/1/manage/settings/data',
      urlEncoded({ title: 'Changed ü', description: 'new', csrf_token: token }),
      headers,
    );
    await visitor.get('/event/1/');
    await visitor.send('PUT', '/category/1/show-past-events', json({}), headers);
    await visitor.get('/category/1/');
    await visitor.post('/user/search/', json({ name: 'Ada' }), headers);
    await visitor.post('/category/0/manage/subcategories/create', urlEncoded({ title: 'Without a token' }));
    await visitor.post('/event/1/manage/lock', urlEncoded({ csrf_token: token }), headers);
    await visitor.get('/event/1/manage/');
  },
  loadPerSecond: 4,
};
