/** Translates pip's index settings for uv, which reads none of them. Pure. */

const NAMES: Readonly<Record<string, string>> = {
  'index-url': 'UV_DEFAULT_INDEX',
  'extra-index-url': 'UV_INDEX',
  'find-links': 'UV_FIND_LINKS',
  'trusted-host': 'UV_INSECURE_HOST',
  cert: 'SSL_CERT_FILE',
};

/**
 * Reads the lines of `pip config list`, such as `global.index-url='…'` or `:env:.cert='…'`. A later line wins, as in
 * pip. `no-index` becomes an argument, since uv has no variable for it.
 */
export function uvSettings(pipConfig: string): {
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
} {
  const environment: Record<string, string> = {};
  const args = new Set<string>();
  for (const line of pipConfig.split('\n')) {
    const setting = /^(?:global|install|:env:)\.(?<key>[a-z-]+)='(?<value>.*)'$/.exec(line.trim())?.groups;
    if (setting === undefined) continue;
    const { key = '', value = '' } = setting;
    const name = NAMES[key];
    if (key === 'no-index' && /^(?:1|true|yes|on)$/i.test(value)) args.add('--no-index');
    // A value may hold several addresses, each on its own line in the file.
    else if (name !== undefined) environment[name] = value.replaceAll(String.raw`\n`, ' ').trim();
  }
  return { environment, args: [...args] };
}
