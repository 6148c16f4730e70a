/** The fenced blocks of a page in Markdown. Pure. */

export interface Block {
  /** The number of its first line in the page. */
  readonly line: number;
  /** The words of the headings above it: the nearest one last. */
  readonly headings: readonly string[];
  /** `sh`, `nginx`, …; empty if none is said. */
  readonly language: string;
  readonly text: string;
  /** The path in the comment that is its first line, if it is a file; else null. */
  readonly file: string | null;
  /** The reason in `<!-- not run: REASON -->` before it; null if there is none. */
  readonly notRun: string | null;
}

const NOT_RUN = /^\s*<!-- not run: (?<reason>.+) -->\s*$/;
const FENCE = /^(?<indent> *)```(?<language>[\w-]*)\s*$/;
const HEADING = /^(?<marks>#+) (?<words>.+)$/;
const FILE = /^# (?<file>[\w./-]*[/.][\w./-]+)$/;

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const headings: string[] = [];
  let open: { line: number; language: string; notRun: string | null; indent: number; lines: string[] } | null = null;
  let before = '';
  for (const [index, line] of page.split('\n').entries()) {
    const fence = FENCE.exec(line)?.groups;
    if (open !== null && fence !== undefined) {
      const { lines, indent: _, ...rest } = open;
      const isFile = open.language !== 'sh' ? (FILE.exec(lines[0] ?? '')?.groups?.['file'] ?? null) : null;
      blocks.push({ ...rest, headings: [...headings], text: `${lines.join('\n')}\n`, file: isFile });
      open = null;
    } else if (open !== null) {
      // In a list, the block is indented with the list's text.
      open.lines.push(line.slice(open.indent));
    } else if (fence !== undefined) {
      const { indent = '', language = '' } = fence;
      const notRun = NOT_RUN.exec(before)?.groups?.['reason'] ?? null;
      open = { line: index + 2, language, notRun, indent: indent.length, lines: [] };
    } else {
      const heading = HEADING.exec(line)?.groups;
      if (heading !== undefined) headings.splice((heading['marks']?.length ?? 1) - 1, Infinity, heading['words'] ?? '');
    }
    before = line;
  }
  return blocks;
}
