export async function runStop(options: { runtimeDir?: string }): Promise<number> {
  return options.runtimeDir ? 1 : 0;
}
