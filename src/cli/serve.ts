export async function runServe(argv: string[]): Promise<number> {
  return argv.length;
}
