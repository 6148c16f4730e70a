export async function runStatus(options: { json?: boolean; watch?: boolean; runtimeDir?: string }): Promise<number> {
  return options.json ? 1 : 0;
}
