/** Made by scripts/tables.ts out of agent/cowherd_agent/policies.json. */
export const REASONS = {
  no_huge_pages:
    "pymalloc's huge pages are on, and a forked child can be killed by SIGBUS when it copies one; unset PYTHON_PYMALLOC_HUGEPAGES",
  cpython: 'it needs CPython, and this is {interpreter}',
  gil: 'it needs the GIL build, and this is {interpreter}',
  oldest: 'it needs CPython {version} or newer, and this is {interpreter}',
  newest: 'the layout of objects is known up to CPython {version}; this is {interpreter}',
  release: 'a debug build asserts on reference counts',
  '64_bit': 'it needs a 64-bit little-endian machine',
} as const;

/** Highest rung first. */
export const LADDER = [
  {
    name: 'immortal',
    needs: ['no_huge_pages', 'cpython', 'gil', 'oldest', 'newest', 'release', '64_bit'],
    oldest: [3, 12],
    newest: [3, 15],
  },
  { name: 'freeze', needs: ['no_huge_pages', 'cpython', 'gil', 'oldest'], oldest: [3, 10], newest: null },
  { name: 'instagram', needs: ['no_huge_pages', 'cpython', 'gil', 'oldest'], oldest: [3, 10], newest: null },
  { name: 'stock', needs: ['no_huge_pages'], oldest: null, newest: null },
] as const;
