import { expect, test } from 'vitest';
import { byModule } from './modules.ts';

test('owners are added up by module, and those without a module together', () => {
  expect(
    byModule([
      { module: 'a', type: 'dict', pages: 3, causes: { payload: 2, refcount: 1 }, bystanderBytes: 10 },
      { module: null, type: '(heap)', pages: 4, causes: { native: 4 }, bystanderBytes: 0 },
      { module: 'a', type: 'str', pages: 2.5, causes: { payload: 2.5 }, bystanderBytes: 5 },
    ]),
  ).toEqual([
    { module: 'a', pages: 5.5, causes: { payload: 4.5, refcount: 1 }, bystanderBytes: 15 },
    { module: null, pages: 4, causes: { native: 4 }, bystanderBytes: 0 },
  ]);
  expect(byModule([])).toEqual([]);
});
