/** Which files are sources, and counts that need no parsing. Pure. */
import path from 'node:path';

export interface SourceFunction {
  readonly file: string;
  readonly name: string;
  /** From its first line to its last. */
  readonly lines: number;
}

const FOLDERS = ['src/', 'agent/cowherd_agent/', 'bench/', 'compatibility/', 'scripts/'];

/** Whether a file is TypeScript or Python that is neither a test nor only there for tests. */
export function isSource(file: string): boolean {
  return (
    FOLDERS.some((folder) => file.startsWith(folder)) &&
    /\.(ts|py)$/.test(file) &&
    !/\.test\.ts$|\/samples\/|\/uses\//.test(file)
  );
}

export function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Folders with sources that have no README.md; `captures` and `samples` belong to the folder above. */
export function foldersWithoutReadme(files: readonly string[]): string[] {
  const folders = new Set(
    files
      .filter((file) => isSource(file))
      .map((file) => path.posix.dirname(file))
      .filter((folder) => !/\/(captures|samples)$/.test(folder)),
  );
  return [...folders].filter((folder) => !files.includes(`${folder}/README.md`)).toSorted();
}
