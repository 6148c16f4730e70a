import vm from 'node:vm';
import { expect, test } from 'vitest';
import { FaultReader } from '../profile/fault-reader.ts';
import { flamePage } from './flame-page.ts';
import { FLAME_PAGE_SCRIPT } from './flame-page-script.ts';
import { flameTree, mainCause } from './flame-tree.ts';
import type { Frame } from '../perf/perf-script.ts';
import { FROM_ELSEWHERE } from '../recording/import-recording.ts';
import { recordReport } from '../recording/report.ts';

const EVIL = '</script><b onclick=alert(1)>';

function recorded(stacks: readonly (readonly string[])[]): FaultReader {
  const reader = new FaultReader(FROM_ELSEWHERE);
  for (const names of stacks) {
    const frames = names.map((name): Frame => ({ name, address: '10', offset: 1, module: '/usr/bin/python3' }));
    reader.onSample({ command: 'p', pid: 1, seconds: 0.3, event: 'faults', faultAddress: null, errorCode: 7, frames });
  }
  return reader;
}

const reader = recorded([
  ['gc_collect_main', 'f', '_start'],
  ['gc_collect_main', 'f', '_start'],
  ['Py_INCREF', 'f', '_start'],
  ['malloc', EVIL, '_start'],
]);
const report = recordReport(reader, {
  title: EVIL,
  takenAt: new Date(0),
  parent: 1,
  fromFork: false,
  seconds: 1,
  pageBytes: 4096,
  instrument: null,
  callGraph: 'dwarf',
  counters: null,
});

test('the tree: each node counts the nodes below it, and the largest come first', () => {
  const tree = flameTree(reader.profile);
  const shape = (node: ReturnType<typeof flameTree>): unknown => [
    reader.profile.frames[node.frame]?.name ?? 'all',
    node.faults,
    node.children.map(shape),
  ];
  expect(shape(tree)).toEqual([
    'all',
    4,
    [
      [
        '_start',
        4,
        [
          [
            'f',
            3,
            [
              ['gc_collect_main', 2, []],
              ['Py_INCREF', 1, []],
            ],
          ],
          [EVIL, 1, [['malloc', 1, []]]],
        ],
      ],
    ],
  ]);
  expect(mainCause(tree.causes)).toBe(0);
  expect(flameTree(reader.profile, 0.5).children[0]?.children.map(({ faults }) => faults)).toEqual([3]);
});

test('the page loads nothing, and no name can inject markup', () => {
  const page = flamePage(report, reader.profile);
  expect(page).not.toContain(EVIL);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/\b(src|href)=|https?:|@import|url\(/);
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  const data = JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? '') as {
    frames: [string, string, number][];
    nodes: number[];
  };
  expect(data.frames.map(([name]) => name)).toContain(EVIL);
  expect(data.nodes).toHaveLength(4 * 7);
  expect(page).toMatch(/collector<\/th><td>2<\/td>/);
});

test('the script is valid, and a recording without faults has a page', () => {
  expect(() => new vm.Script(FLAME_PAGE_SCRIPT)).not.toThrow();
  const nothing = recorded([]);
  const empty = { ...report, faults: 0, over_time: { bucket_seconds: 0.1, buckets: [] } };
  expect(flamePage(empty, nothing.profile)).toContain('<svg');
});
