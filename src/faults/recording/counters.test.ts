import { expect, test } from 'vitest';
import { hasNone, parseCounters } from './counters.ts';

test('a machine with counters', () => {
  const counted = parseCounters(
    [
      '# started',
      '3000000;;instructions:u;5000000;100.00;1.50;insn per cycle',
      '2000000;;cycles:u;5000000;100.00;;',
      '4000;;LLC-loads;5000000;75.00;;',
      '100;;LLC-load-misses;5000000;75.00;2.50;of all LL-cache accesses',
    ].join('\n'),
  );
  expect(counted).toEqual({
    instructions: 3_000_000,
    cycles: 2_000_000,
    cache_loads: 4000,
    cache_misses: 100,
    instructions_per_cycle: 1.5,
    cache_miss_percent: 2.5,
  });
  expect(hasNone(counted)).toBe(false);
});

test('a machine without counters, and processes that never ran', () => {
  const none = parseCounters('<not supported>;;instructions;0;100.00;;\n<not counted>;;cycles;0;0.00;;\n');
  expect(none.instructions_per_cycle).toBeNull();
  expect(hasNone(none)).toBe(true);
  expect(hasNone(parseCounters('perf: command not found\n'))).toBe(true);
  expect(parseCounters('0;;LLC-loads;1;100;;\n0;;LLC-load-misses;1;100;;').cache_miss_percent).toBeNull();
});
