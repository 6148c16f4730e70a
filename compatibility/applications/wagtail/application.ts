/**
 * The project that `wagtail start` makes, with its production settings, filled with pages through Wagtail's own API.
 */
import type { Application } from '../lib/description.ts';
import { PNG } from '../lib/pictures.ts';

export const application: Application = {
  name: 'wagtail',
  title: 'Wagtail',
  python: '3.13',
  requirements: ['wagtail', 'gunicorn', 'psycopg[binary]', 'django-redis', 'whitenoise', 'setproctitle'],
  services: ['postgresql', 'redis'],
  environment: ({ postgresql, redis }) => ({
    DJANGO_SETTINGS_MODULE: 'deployed_settings',
    PGPORT: String(postgresql?.port),
    PGDATABASE: String(postgresql?.database),
    REDIS_URL: `redis://127.0.0.1:${redis?.port}/0`,
  }),
  filling: () => [
    ['wagtail', 'start', 'demo', '.'],
    ['python', 'manage.py', 'migrate', '--verbosity', '0'],
    ['python', 'manage.py', 'collectstatic', '--no-input', '--verbosity', '0'],
    ['python', 'fill.py'],
    ['python', 'manage.py', 'rebuild_references_index'],
    ['python', 'manage.py', 'update_index', '--verbosity', '0'],
  ],
  module: 'demo.wsgi',
  serverArguments: [],
  workers: 4,
  readyPath: '/admin/login/',
  startPaths: [
    '/',
    '/section-1/',
    '/section-1/page-2/',
    '/search/?query=section',
    '/search/?query=nothing&page=7',
    '/old',
    '/nowhere',
    '/admin/',
    '/admin/pages/2/',
    '/admin/images/',
    '/admin/documents/',
    '/admin/reports/site-history/',
    '/django-admin/',
  ],
  crawlLimit: 60,
  leftOut: [{ pattern: /logout/, because: 'logs out' }],
  inAnyOrder: [
    {
      // In `wagtail.log_actions`, `log_entry_models` is a set of two classes, whose order depends on their addresses.
      // The report is a union of both models in that order, sorted by time only.
      pattern: /^\/admin\/reports\/site-history\//,
      // The count of all entries is named after the first of the two.
      varying: /(?<=\d )(?:page|model)(?= log entries)/g,
      because: 'a page entry and a model entry of one moment are listed in an order that each start draws anew',
    },
  ],
  logIn: async (visitor) => {
    await visitor.submit('/admin/login/', { username: 'admin', password: 'changeme-1' });
  },
  act: async (visitor) => {
    const titled = { which: (form: { values: Readonly<Record<string, string>> }) => 'title' in form.values };
    const added = await visitor.submit(
      '/admin/pages/add/home/homepage/3/',
      { title: 'Made by a visitor', slug: 'made', 'action-publish': 'action-publish' },
      titled,
    );
    await visitor.follow(added);
    await visitor.get('/made/');
    await visitor.submit('/admin/pages/add/home/homepage/3/', { title: 'Twice', slug: 'made' }, titled);
    await visitor.submit('/admin/pages/4/edit/', { title: 'Changed', 'action-publish': 'action-publish' }, titled);
    await visitor.get('/section-0/');
    const picture = { name: 'new.png', type: 'image/png', content: PNG };
    const uploaded = await visitor.submit(
      '/admin/images/add/',
      { title: 'New' },
      { files: { file: picture }, ...titled },
    );
    await visitor.follow(uploaded);
    const broken = { ...picture, content: Buffer.from('no picture') };
    await visitor.submit('/admin/images/add/', { title: 'Broken' }, { files: { file: broken }, ...titled });
    const text = { name: 'new.csv', type: 'text/csv', content: Buffer.from('a,b\n1,2\n') };
    await visitor.submit('/admin/documents/add/', { title: 'New' }, { files: { file: text }, ...titled });
    await visitor.get('/admin/documents/');
    await visitor.submit('/admin/redirects/add/', { old_path: '/new', redirect_link: 'https://example.com/' });
    await visitor.get('/new');
    await visitor.submit('/django-admin/auth/group/add/', { name: 'Readers' });
    await visitor.post('/admin/pages/4/delete/', null);
  },
  // Opening it starts an editing session, which has a number.
  notUnderLoad: /\/edit\//,
  loadPerSecond: 4,
};
