import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernelUnits } from './auxv.ts';
import { type Mapping, readMaps } from './maps.ts';
import { Pagemap } from './pagemap.ts';
import { ProcessMemory } from './process-memory.ts';

const pageBytes = kernelUnits().pageSize;
const memory = new ProcessMemory(process.pid);
afterAll(() => memory.close());

function program(): Mapping {
  const mapping = readMaps(process.pid)!.find(({ path, fileOffset }) => path === process.execPath && fileOffset === 0);
  expect(mapping).toBeDefined();
  return mapping!;
}

test("this process's memory has the contents of its program where the program is mapped", () => {
  const { start } = program();
  const found = new Uint8Array(10_000);
  expect(memory.read(start + 123, found)).toBe(true);
  const expected = new Uint8Array(found.length);
  const file = openSync(process.execPath, 'r');
  readSync(file, expected, 0, expected.length, 123);
  closeSync(file);
  expect(found).toEqual(expected);
});

test('a read fails if all or a part of the range is not mapped', () => {
  const own = readMaps(process.pid)!;
  const index = own.findIndex(
    ({ end, readable }, at) => readable && own[at + 1] !== undefined && own[at + 1]!.start > end,
  );
  const { end } = own[index]!;
  const into = new Uint8Array(16);
  expect(memory.read(end - 16, into)).toBe(true);
  for (const address of [end - 8, end, 0, 8, 2 ** 47, 2 ** 52]) expect(memory.read(address, into)).toBe(false);
});

test('a read at something that is not an address fails', () => {
  const into = new Uint8Array(8);
  // The wrapper of the system call takes -1 for the current position, and refuses the others.
  expect(memory.read(program().start, into)).toBe(true);
  for (const address of [-1, -8, 2 ** 53, 2 ** 64, 1.5, Number.NaN, Infinity]) {
    expect(memory.read(address, into), String(address)).toBe(false);
  }
});

let child: ChildProcess;
beforeAll(async () => {
  child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
});
afterAll(() => child.kill('SIGKILL'));

test('the memory of an ended process cannot be read', async () => {
  const pid = child.pid!;
  // The pid still exists, and the program may not have been started yet.
  await expect.poll(() => readMaps(pid)?.some(({ path }) => path === '[stack]')).toBe(true);
  const stack = readMaps(pid)!.find(({ path }) => path === '[stack]')!;
  const itsMemory = new ProcessMemory(pid);
  const pagemap = new Pagemap(pid, pageBytes);
  try {
    const into = new Uint8Array(pageBytes);
    const last = (stack.end - stack.start) / pageBytes - 1;
    expect(itsMemory.read(stack.end - pageBytes, into)).toBe(true);
    expect(pagemap.entries(stack.start, stack.end).isAnonymous(last)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(itsMemory.read(stack.end - pageBytes, into)).toBe(false);
    const after = pagemap.entries(stack.start, stack.end);
    expect(after.count).toBe(last + 1);
    for (let page = 0; page <= last; page += 1) expect(after.isPresent(page)).toBe(false);
  } finally {
    itsMemory.close();
    pagemap.close();
  }
  expect(() => new ProcessMemory(pid)).toThrow('ENOENT');
  expect(() => new Pagemap(pid, pageBytes)).toThrow('ENOENT');
});
