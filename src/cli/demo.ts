export async function runDemo(options: { python?: string }): Promise<number> {
  return options.python ? 1 : 0;
}
