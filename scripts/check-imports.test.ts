import { expect, test } from 'vitest';
import { relativeImports, violations } from './check-imports.ts';

test('finds static, type, re-exporting, bare and dynamic imports, and no package', () => {
  const text = `
    import { a } from '../base/a.ts';
    import type { B } from "./b.ts";
    export * from './c.ts';
    import './d.ts';
    const e = await import('../cli/e.ts');
    import path from 'node:path';
  `;
  expect(relativeImports(text)).toEqual(['../base/a.ts', './b.ts', './c.ts', './d.ts', '../cli/e.ts']);
});

test('imports downwards and within a folder are fine', () => {
  expect(
    violations([
      { file: 'cli/main.ts', text: "import '../supervisor/x.ts'; import '../base/y.ts'; import './z.ts';" },
      { file: 'supervisor/deep/x.ts', text: "import '../../procfs/x.ts'; import '../y.ts';" },
    ]),
  ).toEqual([]);
});

test('imports upwards, sideways and out of src are told, unless allowed', () => {
  const files = [
    { file: 'base/a.ts', text: "import '../procfs/b.ts';" },
    { file: 'procfs/b.ts', text: "import '../cpython/c.ts';" },
    { file: 'cpython/c.ts', text: "import '../../test/d.ts';" },
    { file: 'other/e.ts', text: '' },
  ];
  expect(violations(files)).toHaveLength(4);
  expect(violations(files, ['base/a.ts -> procfs/b.ts'])).toHaveLength(3);
});
