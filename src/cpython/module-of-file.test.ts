import { expect, test } from 'vitest';
import { moduleOfFile } from './module-of-file.ts';

test.each([
  ['/srv/shop/.venv/lib/python3.13/site-packages/django/db/models/query.py', 'django.db.models.query'],
  ['/usr/lib/python3/dist-packages/yaml/__init__.py', 'yaml'],
  ['/usr/lib/python3.11/logging/__init__.py', 'logging'],
  ['/opt/python/lib/python3.14t/threading.py', 'threading'],
  ['/srv/site/shop/views.py', 'shop.views'],
  ['/srv/site/shop/__init__.py', 'site.shop'],
  ['views.py', 'views'],
  ['<frozen importlib._bootstrap>', 'importlib._bootstrap'],
])('%s belongs to %s', (path, module) => {
  expect(moduleOfFile(path)).toBe(module);
});

test.each(['<string>', '<stdin>', '/srv/shop/page.html', ''])('%s belongs to no module', (path) => {
  expect(moduleOfFile(path)).toBeNull();
});
