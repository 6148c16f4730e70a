/** For tests: memory of real interpreters. captures/README.md describes the files. */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import type { MemoryReader } from '../../base/memory-reader.ts';

export const CAPTURED_VERSIONS = ['3.9.18', '3.10.13', '3.11.7', '3.13.0'] as const;
export type CapturedVersion = (typeof CAPTURED_VERSIONS)[number];

interface CaptureFile {
  readonly pool_bytes: number;
  readonly facts: {
    readonly types: Readonly<
      Record<string, { address: string; module: string; is_heap: boolean; is_gc: boolean; is_metatype: boolean }>
    >;
    readonly function: string;
    readonly module: string;
    readonly shared_keys: string;
    readonly general_keys: string;
    readonly pools: Readonly<Record<PoolName, { address: string; block_bytes: number; blocks: string }>>;
  };
  readonly code: readonly string[];
  readonly extents: readonly (readonly [string, number])[];
  readonly memory: string;
}

export type PoolName = 'bytes' | 'last_bytes' | 'rows' | 'keys';

export class CapturedProcess implements MemoryReader {
  readonly minor: number;
  readonly poolBytes: number;
  readonly facts: CaptureFile['facts'];
  readonly #code: readonly { start: number; end: number }[];
  readonly #extents: readonly { start: number; bytes: Uint8Array }[];

  constructor(version: CapturedVersion) {
    const path = new URL(`../captures/python-${version}.json`, import.meta.url);
    const file = JSON.parse(readFileSync(path, 'utf8')) as CaptureFile;
    const memory = inflateRawSync(Buffer.from(file.memory, 'base64'));
    let at = 0;
    this.#extents = file.extents.map(([start, length]) => {
      at += length;
      return { start: address(start), bytes: memory.subarray(at - length, at) };
    });
    this.#code = file.code.map((range) => {
      const [start = '', end = ''] = range.split('-');
      return { start: address(start), end: address(end) };
    });
    this.minor = Number(version.split('.')[1]);
    this.poolBytes = file.pool_bytes;
    this.facts = file.facts;
  }

  readonly isCode = (address: number): boolean =>
    this.#code.some(({ start, end }) => start <= address && address < end);

  readonly isMapped = (address: number): boolean =>
    this.#extents.some(({ start, bytes }) => start <= address && address < start + bytes.length);

  /** Fills memory that was not captured with zeros. False if none of the range was captured. */
  read(address: number, into: Uint8Array): boolean {
    into.fill(0);
    let found = false;
    for (const { start, bytes } of this.#extents) {
      const from = Math.max(start, address);
      const to = Math.min(start + bytes.length, address + into.length);
      if (from >= to) continue;
      into.set(bytes.subarray(from - start, to - start), from - address);
      found = true;
    }
    return found;
  }

  words(address: number, length: number): Uint32Array {
    const words = new Uint32Array(length / 4);
    this.read(address, new Uint8Array(words.buffer));
    return words;
  }

  /** The words of a pool, its address, and the states of its blocks according to the program. */
  pool(name: PoolName): { words: Uint32Array; address: number; blockBytes: number; blocks: string[] } {
    const { address: hex, block_bytes: blockBytes, blocks } = this.facts.pools[name];
    const start = address(hex);
    return { words: this.words(start, this.poolBytes), address: start, blockBytes, blocks: blocks.split('') };
  }
}

export function address(hex: string): number {
  return Number.parseInt(hex, 16);
}
