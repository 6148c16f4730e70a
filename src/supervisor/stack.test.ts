import { mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { takeStack, tidyStack } from './stack.ts';

/** As faulthandler of CPython 3.13 writes it. */
const written = `Fatal Python error: Aborted

Current thread 0x00007f7c9e9efb80 (most recent call first):
  File "/srv/shop/prices.py", line 17 in parse
  File "/srv/shop/wsgi.py", line 5 in application

Extension modules: _cffi_backend, gevent._gevent_c_hub_local (total: 2)
`;

const tidy = `Current thread 0x00007f7c9e9efb80 (most recent call first):
  File "/srv/shop/prices.py", line 17 in parse
  File "/srv/shop/wsgi.py", line 5 in application`;

test('only the stack is told', () => {
  expect(tidyStack(written)).toBe(tidy);
  expect(tidyStack('')).toBeNull();
  expect(tidyStack('Fatal Python error: Aborted\n\n')).toBeNull();
  expect(tidyStack('x'.repeat(100_000))?.length).toBeLessThan(40_000);
});

test('a stack is taken once, and one that is not there is none', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-stack-'));
  try {
    expect(takeStack(folder, 3)).toBeNull();
    writeFileSync(path.join(folder, 'stack-3'), written);
    expect(takeStack(folder, 2)).toBeNull();
    expect(takeStack(folder, 3)).toBe(tidy);
    expect(takeStack(folder, 3)).toBeNull();
    // 400 MiB that take no room on the disk, behind what was written.
    writeFileSync(path.join(folder, 'stack-3'), written);
    truncateSync(path.join(folder, 'stack-3'), 400 << 20);
    const before = process.memoryUsage.rss();
    expect(takeStack(folder, 3)).toMatch(/^Current thread 0x/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 << 20);
    expect(statSync(path.join(folder, 'stack-3')).size).toBe(0);
    symlinkSync('stack-2', path.join(folder, 'stack-4'));
    writeFileSync(path.join(folder, 'stack-2'), written);
    expect(takeStack(folder, 4)).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
