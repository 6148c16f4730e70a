/** Datasette: an ASGI application on SQLite, which starts its own threads. */
import type { Application } from '../lib/description.ts';
import { json, urlEncoded } from '../lib/visitor.ts';

export const application: Application = {
  name: 'datasette',
  title: 'Datasette',
  python: '3.13',
  requirements: ['datasette==0.65.5', 'gunicorn', 'uvicorn', 'uvicorn-worker', 'setproctitle'],
  services: [],
  environment: () => ({ DATASETTE_SECRET: 'a-secret-of-the-test' }),
  filling: () => [
    ['python', 'fill.py'],
    ['datasette', 'inspect', 'library.db', '--inspect-file', 'counts.json'],
  ],
  module: 'served:app',
  serverArguments: ['--worker-class', 'asgi'],
  workers: 4,
  readyPath: '/-/versions.json',
  startPaths: [
    '/',
    '/library',
    '/library/book',
    '/library/book?_facet=language_id&_size=20',
    '/library/book.json?_shape=array&_size=5',
    '/library/book?_search=south&_sort_desc=pages',
    '/library.json?sql=select+count(*)+from+book+where+pages+%3E+%3Apages&pages=300',
    '/library?sql=select+*+from+nothing',
    '/library/long_book.csv?_stream=on&_size=max',
    '/library/word/a,3',
    '/-/plugins.json',
    '/-/settings.json',
    '/nowhere',
    '/-/static/app.css',
  ],
  crawlLimit: 60,
  act: async (visitor) => {
    await visitor.submit('/-/messages', { message: 'Seen', message_type: 'WARNING' });
    await visitor.get('/-/messages');
    await visitor.post('/-/permissions', urlEncoded({ actor: '{"id": "root"}', permission: 'view-instance' }));
    await visitor.post('/library', urlEncoded({ sql: 'select 1' }));
    await visitor.post('/-/logout', json({}));
  },
  loadPerSecond: 10,
};
