/** The TypeScript source of Cowherd's own settings: the schema of their values, and their lines in the help. Pure. */
import * as v from 'valibot';

/** The schema of a value in the message `configured`, by the kind of the setting. */
const SCHEMAS = {
  requests: 'v.array(v.string())',
  request: 'v.nullable(v.string())',
  percent: 'v.pipe(v.number(), v.minValue(0))',
  size: 'v.pipe(v.number(), v.integer(), v.minValue(0))',
  size_auto_or_off: "v.union([v.picklist(['off', 'auto']), v.pipe(v.number(), v.integer(), v.minValue(0))])",
  count: 'v.pipe(v.number(), v.integer(), v.minValue(0))',
  seconds: 'v.pipe(v.number(), v.minValue(0))',
  positive_count: 'v.pipe(v.number(), v.integer(), v.minValue(1))',
  request_counts: 'v.array(v.pipe(v.number(), v.integer(), v.minValue(1)))',
  flag: 'v.boolean()',
  // Molds of an older version do not say these.
  metrics_address: 'v.optional(v.nullable(v.string()), null)',
  path: 'v.optional(v.nullable(v.string()), null)',
  choice: 'v.string()',
  hook: 'v.unknown()',
} as const;

const row = v.strictObject({
  name: v.string(),
  kind: v.picklist(Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]),
  choices: v.optional(v.array(v.string())),
  arguments: v.optional(v.array(v.string())),
  options: v.optional(v.array(v.string())),
  meta: v.optional(v.string()),
  default: v.optional(v.unknown()),
  message: v.optional(v.string()),
  help: v.optional(v.string()),
  description: v.array(v.string()),
});
type Row = v.InferOutput<typeof row>;

/** @throws ValiError for an invalid row */
export function readTable(text: string): Row[] {
  return v.parse(v.strictObject({ settings: v.array(row) }), JSON.parse(text)).settings;
}

const HEAD = '/** Made by scripts/tables.ts out of agent/cowherd_agent/own_settings.json. */\n';

/** The schema of the values that the supervisor acts on. */
export function schemaSource(rows: readonly Row[]): string {
  const entries = rows.flatMap(({ message, kind }) => (message === undefined ? [] : `  ${message}: ${SCHEMAS[kind]},`));
  return `${HEAD}import * as v from 'valibot';

/** Values of Cowherd's own settings, as a mold says them. */
export const ownSettings = {
${entries.join('\n')}
};
`;
}

/** Their lines in `cowherd serve --help`. */
export function helpSource(rows: readonly Row[]): string {
  const lines = rows.flatMap((each) => helpLine(each) ?? []);
  return `${HEAD}export const OWN_SETTINGS_HELP = \`${lines.join('\n')}\`;\n`;
}

const OPTION_WIDTH = 24;

function helpLine({ name, options, meta, help }: Row): string | null {
  if (help === undefined || options === undefined) return null;
  // The last option is the shortest.
  const option = `${options.at(-1)}${meta === undefined ? '' : ` ${meta}`}`;
  // An option that doesn't fit has its text on the next line, as in the rest of the help.
  const head = option.length > OPTION_WIDTH ? `${option}\n  ${' '.repeat(OPTION_WIDTH)}` : option.padEnd(OPTION_WIDTH);
  return `  ${head} ${name}: ${help}`;
}
