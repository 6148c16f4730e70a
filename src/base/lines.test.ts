import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { onLines } from './lines.ts';

/** The lines called back for these pieces; `-` for a line that is too long. */
async function heard(pieces: readonly string[], mostCharacters?: number): Promise<string[]> {
  const lines: string[] = [];
  const stream = new PassThrough();
  const limit = mostCharacters === undefined ? undefined : { mostCharacters, onTooLong: () => void lines.push('-') };
  onLines(stream, (line) => lines.push(line), limit);
  for (const piece of pieces) stream.write(piece);
  stream.end();
  await new Promise((resolve) => {
    stream.on('end', resolve);
  });
  return lines;
}

test('lines are the same, in whatever pieces they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', 'ä', '\n'), maxLength: 20 })), async (pieces) => {
      const lines = pieces.join('').split('\n').slice(0, -1);
      expect(await heard(pieces)).toEqual(lines);
      const tooLong = pieces
        .join('')
        .split('\n')
        .findIndex((line) => line.length > 3);
      expect(await heard(pieces, 3)).toEqual(tooLong === -1 ? lines : [...lines.slice(0, tooLong), '-']);
    }),
  );
});

test('a line in many pieces costs as much as in one', async () => {
  const cpuMs = async (pieces: number): Promise<number> => {
    const before = process.cpuUsage();
    await heard([...Array.from({ length: pieces }, () => 'x'.repeat(1000)), '\n']);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  await cpuMs(1000);
  const [few, many] = [await cpuMs(1000), await cpuMs(20_000)];
  // 20 times the work; 400 times if everything were searched again for each piece.
  expect(many).toBeLessThan(100 * Math.max(few, 2));
});
