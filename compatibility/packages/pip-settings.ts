/** The index that pip is set up for, in the words of uv, which reads none of pip's settings. Pure. */

const NAMES: Readonly<Record<string, string>> = {
  'index-url': 'UV_DEFAULT_INDEX',
  'extra-index-url': 'UV_INDEX',
  'find-links': 'UV_FIND_LINKS',
  'trusted-host': 'UV_INSECURE_HOST',
  cert: 'SSL_CERT_FILE',
};

/**
 * Of the lines of `pip config list`, such as `global.index-url='…'` or `:env:.cert='…'`; a later line wins, as it
 * does for pip. `no-index` has no variable in uv: its value is the argument.
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
    // Several addresses stand in one value, each on a line of its own in the file.
    else if (name !== undefined) environment[name] = value.replaceAll(String.raw`\n`, ' ').trim();
  }
  return { environment, args: [...args] };
}
