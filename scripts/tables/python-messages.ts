/**
 * The Python of the messages in `src/agent/messages.ts`: a TypedDict for each, which mypy checks where a message is
 * sent or taken, and the shapes of commands, which the agent checks when one comes. Pure.
 */
import * as messages from '../../src/agent/messages.ts';

/** The kinds of valibot's schemas that messages are made of, and what is read of each here. */
type Schema =
  | { readonly type: 'string' | 'boolean' | 'unknown' }
  | { readonly type: 'number'; readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[] }
  | { readonly type: 'literal'; readonly literal: string }
  | { readonly type: 'picklist'; readonly options: readonly string[] }
  | { readonly type: 'array'; readonly item: Schema }
  | { readonly type: 'record'; readonly value: Schema }
  | { readonly type: 'nullable' | 'nullish' | 'optional'; readonly wrapped: Schema }
  | { readonly type: 'union'; readonly options: readonly Schema[] }
  | ObjectSchema
  | VariantSchema;

interface ObjectSchema {
  readonly type: 'object';
  readonly entries: Readonly<Record<string, Schema>>;
}

interface VariantSchema {
  readonly type: 'variant';
  readonly key: string;
  readonly options: readonly ObjectSchema[];
}

/** A union of messages: what Python calls it, and how the name of each message begins and ends. */
interface Family {
  readonly name: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly schema: VariantSchema;
}

// valibot's own types have far more than what is read here.
const asVariant = (schema: unknown): VariantSchema => schema as VariantSchema;
const asObject = (schema: unknown): ObjectSchema => schema as ObjectSchema;

const FAMILIES: readonly Family[] = [
  { name: 'MoldMessage', prefix: 'Mold', suffix: '', schema: asVariant(messages.moldMessage) },
  { name: 'WorkerMessage', prefix: 'Worker', suffix: '', schema: asVariant(messages.workerMessage) },
  { name: 'KeeperMessage', prefix: 'Keeper', suffix: '', schema: asVariant(messages.keeperMessage) },
  { name: 'MoldCommand', prefix: 'Mold', suffix: 'Command', schema: asVariant(messages.moldCommand) },
  { name: 'KeeperCommand', prefix: '', suffix: 'Command', schema: asVariant(messages.keeperCommand) },
];

/** Unions that Python checks when a command comes. */
const CHECKED = new Set(['MoldCommand', 'KeeperCommand']);

const camel = (name: string): string => name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

function className(family: Family, kind: string): string {
  const name = camel(kind);
  return `${name.startsWith(family.prefix) ? '' : family.prefix}${name}${family.suffix}`;
}

/** The TypedDicts, in the order in which they are needed. */
class Classes {
  readonly #bySchema = new Map<Schema, string>();
  readonly #texts = new Map<string, string>();

  /** By name. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** @param shared what it is called when it is named for the second time: two unions have it */
  name(schema: Schema, name: string, shared = name): void {
    this.#bySchema.set(schema, this.#bySchema.has(schema) ? shared : name);
  }

  /** @param suggested what an object without a name of its own is called */
  typeOf(schema: Schema, suggested: string): string {
    switch (schema.type) {
      case 'string':
        return 'str';
      case 'boolean':
        return 'bool';
      case 'number':
        return isWhole(schema) ? 'int' : 'float';
      case 'literal':
        return `Literal["${schema.literal}"]`;
      case 'picklist':
        return `Literal[${schema.options.map((each) => `"${each}"`).join(', ')}]`;
      case 'array':
        return `list[${this.typeOf(schema.item, suggested)}]`;
      case 'record':
        return `dict[str, ${this.typeOf(schema.value, suggested)}]`;
      case 'nullable':
      case 'nullish':
        return `${this.typeOf(schema.wrapped, suggested)} | None`;
      case 'optional':
        return this.typeOf(schema.wrapped, suggested);
      case 'union':
        return schema.options.map((each) => this.typeOf(each, suggested)).join(' | ');
      case 'unknown':
        return 'Any';
      case 'object':
        return this.#object(schema, suggested);
      case 'variant':
        break;
    }
    return this.#variant(schema, suggested);
  }

  #variant(schema: VariantSchema, suggested: string): string {
    const known = this.#bySchema.get(schema);
    if (known !== undefined) return known;
    return schema.options
      .map((option) => this.typeOf(option, `${camel(kindOf(schema, option))}${suggested}`))
      .join(' | ');
  }

  #object(schema: ObjectSchema, suggested: string): string {
    const name = this.#bySchema.get(schema) ?? suggested;
    if (this.#texts.has(name)) {
      if (this.#bySchema.get(schema) !== name) throw new Error(`two objects would be called ${name}`);
      return name;
    }
    this.#bySchema.set(schema, name);
    const fields = Object.entries(schema.entries).map(([field, value]) => {
      const type = this.typeOf(value, `${name}${camel(field)}`);
      return `    ${field}: ${isOptional(value) ? `NotRequired[${type}]` : type}\n`;
    });
    this.#texts.set(name, `class ${name}(TypedDict):\n${fields.join('')}`);
    return name;
  }
}

/** The value of the key that tells the options of a variant apart. */
function kindOf(variant: VariantSchema, option: ObjectSchema): string {
  const discriminator = option.entries[variant.key];
  if (discriminator?.type !== 'literal') throw new Error(`an option of a variant has no ${variant.key}`);
  return discriminator.literal;
}

function isWhole(schema: Extract<Schema, { type: 'number' }>): boolean {
  return (schema.pipe ?? []).some((step) => step.type === 'integer');
}

function isOptional(schema: Schema): boolean {
  return schema.type === 'optional' || schema.type === 'nullish';
}

/** The files of the types, each with what it is about. */
const FILES = {
  settings_types: 'addresses and settings',
  command_types: 'each command',
  message_types: 'each message to the supervisor',
} as const;
type TypesFile = keyof typeof FILES;

function fileOf(name: string): TypesFile {
  if (/^Settings|Address$/.test(name)) return 'settings_types';
  return /Command$|^MoldOrder|^Remark$/.test(name) ? 'command_types' : 'message_types';
}

/** The Python files of the types in `agent/cowherd_agent/wire/`, by name without `.py`. */
export function typesSources(): Record<TypesFile, string> {
  const classes = new Classes();
  classes.name(asObject(messages.settings), 'Settings');
  classes.name(asObject(messages.remark), 'Remark');
  classes.name(asObject(messages.moldOrder), 'MoldOrder');
  for (const { name, schema } of FAMILIES) classes.name(schema, name);
  for (const family of FAMILIES) {
    for (const option of family.schema.options) {
      classes.name(option, className(family, kindOf(family.schema, option)), camel(kindOf(family.schema, option)));
    }
  }
  const address = asVariant(messages.address);
  for (const option of address.options) classes.name(option, `${camel(kindOf(address, option))}Address`);
  classes.name(address, 'Address');
  const unions = [{ name: 'Address', schema: address }, ...FAMILIES].map(({ name, schema }): [string, string] => {
    const names = schema.options.map((option) => classes.typeOf(option, ''));
    return [name, `${name}: TypeAlias = Union[\n${names.map((each) => `    "${each}",\n`).join('')}]\n`];
  });
  const all = new Map([...classes.texts, ...unions]);
  const isUnion = new Set(unions.map(([name]) => name));
  return Object.fromEntries(
    Object.entries(FILES).map(([file, subject]) => {
      const own = [...all].filter(([name]) => fileOf(name) === file);
      const text = [
        ...own.filter(([name]) => !isUnion.has(name)).map(([, each]) => `\n${each}`),
        ...own.filter(([name]) => isUnion.has(name)).map(([, each], index) => (index === 0 ? `\n${each}` : each)),
      ].join('\n');
      return [file, `${headOf(subject, text, foreignNames(text, file, all))}\n${text}`];
    }),
  ) as Record<TypesFile, string>;
}

/** The names that a file uses from each other file. */
function foreignNames(text: string, file: string, all: ReadonlyMap<string, string>): Map<string, string[]> {
  const used = new Set(text.match(/\b[A-Z]\w+/g));
  const foreign = [...all.keys()].filter((name) => used.has(name) && fileOf(name) !== file).toSorted();
  return new Map(
    [...new Set(foreign.map(fileOf))].toSorted().map((each) => [each, foreign.filter((name) => fileOf(name) === each)]),
  );
}

/** As ruff sorts and formats the imports. */
function headOf(subject: string, text: string, foreign: ReadonlyMap<string, string[]>): string {
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
  const typing = ['TYPE_CHECKING', ...['Any', 'Literal', 'TypedDict', 'Union'].filter(isUsed)];
  const extensions = isUsed('NotRequired') ? '\n    from typing_extensions import NotRequired\n' : '';
  const imports = [...foreign].map(([file, names]) => {
    const line = `    from cowherd_agent.wire.${file} import ${names.join(', ')}\n`;
    return line.length <= 101
      ? line
      : `    from cowherd_agent.wire.${file} import (\n${names.map((name) => `        ${name},\n`).join('')}    )\n`;
  });
  const ours = imports.length > 0 ? `\n${imports.join('')}` : '';
  return `"""The types of ${subject}, for type checkers only. Made by scripts/tables.ts.

The source is src/agent/messages.ts.
"""

from __future__ import annotations

from typing import ${typing.join(', ')}

if TYPE_CHECKING:
    from typing import TypeAlias
${extensions}${ours}`;
}

/** A shape, as agent/cowherd_agent/wire/checking.py reads it. */
function shapeOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'unknown':
      return schema.type;
    case 'number': {
      const least = (schema.pipe ?? []).find((step) => step.type === 'min_value');
      const kind = isWhole(schema) ? 'whole' : 'number';
      return least === undefined ? kind : [kind, least.requirement];
    }
    case 'literal':
      return ['one of', [schema.literal]];
    case 'picklist':
      return ['one of', schema.options];
    case 'array':
      return ['list', shapeOf(schema.item)];
    case 'record':
      return ['map', shapeOf(schema.value)];
    case 'nullable':
    case 'nullish':
      return ['nullable', shapeOf(schema.wrapped)];
    case 'object':
      return ['object', fieldsOf(schema)];
    case 'variant':
      return ['variant', schema.key, variantsOf(schema)];
    case 'optional':
    case 'union':
      break;
  }
  throw new Error(`no shape for a schema of type ${schema.type}`);
}

function fieldsOf(schema: ObjectSchema): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema.entries).map(([name, value]) => [name, shapeOf(value)]));
}

function variantsOf(schema: VariantSchema): Record<string, unknown> {
  return Object.fromEntries(
    schema.options.map((option) => {
      const { [schema.key]: _, ...rest } = fieldsOf(option);
      return [kindOf(schema, option), rest];
    }),
  );
}

/** `agent/cowherd_agent/wire/shapes.json` */
export function shapesSource(): string {
  const said = FAMILIES.filter(({ name }) => name === 'MoldMessage' || name === 'WorkerMessage');
  return JSON.stringify({
    ...Object.fromEntries(
      said.map(({ name, schema }) => [name, schema.options.map((option) => kindOf(schema, option)).toSorted()]),
    ),
    ...Object.fromEntries(
      FAMILIES.filter(({ name }) => CHECKED.has(name)).map(({ name, schema }) => [name, variantsOf(schema)]),
    ),
  });
}
