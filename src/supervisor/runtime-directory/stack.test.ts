import { expect, test } from 'vitest';
import { tidyStack } from './stack.ts';

/** As written by faulthandler of CPython 3.13. */
const written = `Fatal Python error: Aborted

Current thread 0x00007f7c9e9efb80 (most recent call first):
  File "/srv/shop/prices.py", line 17 in parse
  File "/srv/shop/wsgi.py", line 5 in application

Extension modules: _cffi_backend, gevent._gevent_c_hub_local (total: 2)
`;

const tidy = `Current thread 0x00007f7c9e9efb80 (most recent call first):
  File "/srv/shop/prices.py", line 17 in parse
  File "/srv/shop/wsgi.py", line 5 in application`;

test('only the stack is kept', () => {
  expect(tidyStack(written)).toBe(tidy);
  expect(tidyStack('')).toBeNull();
  expect(tidyStack('Fatal Python error: Aborted\n\n')).toBeNull();
  expect(tidyStack('x'.repeat(100_000))?.length).toBeLessThan(40_000);
});
