/** Compares the two lists of messages, both ways: messages.ts and `agent/cowherd_agent/wire/messages.py`. */
import { type GenericSchema, safeParse } from 'valibot';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  keeperMessage,
  moldMessage,
  PROTOCOL_VERSION,
  settings,
  workerMessage,
  type DoorCommand,
  type KeeperCommand,
  type MoldCommand,
  type MoldOrder,
} from './messages.ts';

const root = new URL('../../', import.meta.url);

/**
 * Reads the Python side from its source: the names that messages.py declares, the keys of every message written as a
 * dict with a constant "type", the keys of the order that the mold reads, and the keys of the settings.
 */
const READER = `
import ast, json, pathlib, sys
from cowherd_agent.wire import messages

spoken, order_read, settings = [], set(), []
agent = pathlib.Path(sys.argv[1])
for path in [agent / "launch.py", *sorted((agent / "cowherd_agent").rglob("*.py"))]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            if "type" in keys:
                kind = node.values[keys.index("type")]
                if isinstance(kind, ast.Constant):
                    spoken.append({"type": kind.value, "keys": keys, "where": f"{path.name}:{node.lineno}"})
        if isinstance(node, ast.FunctionDef) and node.name == "describe" and path.stem == "configuration":
            # One of them is all of own_settings.json.
            settings = [key.value for key in node.body[-1].value.keys if key is not None]
        # self._order["x"], order["x"] and their get("x")
        target = None
        if isinstance(node, ast.Subscript):
            target, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            target, key = node.func.value, node.args[0]
        name = getattr(target, "attr", getattr(target, "id", None))
        if name in ("_order", "order") and isinstance(key, ast.Constant):
            order_read.add(key.value)
own = json.loads((agent / "cowherd_agent" / "own_settings.json").read_text())["settings"]
settings += [row["message"] for row in own if "message" in row]
print(json.dumps({
    "version": messages.PROTOCOL_VERSION,
    "keeper_messages": sorted(messages.KEEPER_MESSAGES),
    "keeper_commands": sorted(messages.KEEPER_COMMANDS),
    "mold_messages": sorted(messages.MOLD_MESSAGES),
    "worker_messages": sorted(messages.WORKER_MESSAGES),
    "mold_commands": sorted(messages.MOLD_COMMANDS),
    "loan_messages": sorted(messages.LOAN_MESSAGES),
    "spoken": spoken,
    "order_read": sorted(order_read),
    "settings": settings,
}))
`;

interface PythonSide {
  version: number;
  keeper_messages: string[];
  keeper_commands: string[];
  mold_messages: string[];
  worker_messages: string[];
  mold_commands: string[];
  loan_messages: string[];
  spoken: { type: string; keys: string[]; where: string }[];
  order_read: string[];
  settings: string[];
}

const python = JSON.parse(
  execFileSync(
    fileURLToPath(new URL('.venv/bin/python', root)),
    ['-c', READER, fileURLToPath(new URL('agent', root))],
    { encoding: 'utf8', env: { PYTHONPATH: fileURLToPath(new URL('agent', root)) } },
  ),
) as PythonSide;

// The compiler complains when a command is missing here, or is not one.
const keeperCommands = Object.keys({
  start_mold: true,
  adopt_mold: true,
  listen: true,
  give_listeners: true,
  keep_listeners: true,
  turn_away: true,
  to_mold: true,
  signal: true,
  set_background: true,
  pulse: true,
  notify: true,
  borrow: true,
  take_over: true,
  exit: true,
  adopt: true,
  look: true,
  drain: true,
} satisfies Record<(KeeperCommand | DoorCommand)['type'], true>);
const moldCommands = Object.keys({
  fork: true,
  worker_exited: true,
  worker_retired: true,
  workers_wanted: true,
  reopen_logs: true,
  census: true,
  pause_threads: true,
  resume_threads: true,
  merge_memory: true,
  exit: true,
} satisfies Record<MoldCommand['type'], true>);
const orderKeys = Object.keys({
  generation: true,
  runtime_directory: true,
  log_format: true,
  cwd: true,
  daemonized: true,
  rejected_policies: true,
  occasion: true,
} satisfies Record<keyof MoldOrder, true>);

/** The keeper's own messages to a mold, besides relayed ones. */
const FROM_KEEPER = ['order', 'listeners'];

interface Shape {
  required: string[];
  optional: string[];
}

function shapes(union: typeof keeperMessage | typeof moldMessage | typeof workerMessage): Map<string, Shape> {
  return new Map(
    union.options.map((option) => {
      const fields = Object.entries(option.entries).map(([name, schema]) => ({
        name,
        optional: safeParse(schema as GenericSchema, undefined).success,
      }));
      return [
        option.entries.type.literal,
        {
          required: fields.filter((field) => !field.optional).map((field) => field.name),
          optional: fields.filter((field) => field.optional).map((field) => field.name),
        },
      ];
    }),
  );
}

const keeperShapes = shapes(keeperMessage);
const moldShapes = shapes(moldMessage);
const workerShapes = shapes(workerMessage);

/** Messages that end at the keeper. */
const TO_KEEPER = ['born', 'forked'];

test('both sides have the same protocol version', () => {
  expect(python.version).toBe(PROTOCOL_VERSION);
});

test('both sides name the same messages', () => {
  expect(python.keeper_messages).toEqual([...keeperShapes.keys()].toSorted());
  expect([...python.mold_messages, ...python.worker_messages].toSorted()).toEqual(
    [...moldShapes.keys(), ...workerShapes.keys(), ...TO_KEEPER].toSorted(),
  );
});

test('both sides name the same commands', () => {
  expect(python.keeper_commands).toEqual(keeperCommands.toSorted());
  expect(python.mold_commands).toEqual([...moldCommands, ...FROM_KEEPER].toSorted());
});

test('the agent sends every message that the supervisor understands', () => {
  const spoken = new Set(python.spoken.map((message) => message.type));
  const understood = [...keeperShapes.keys(), ...moldShapes.keys(), ...workerShapes.keys()];
  expect(understood.filter((type) => !spoken.has(type))).toEqual([]);
});

describe('each message of the agent has the fields that the supervisor reads', () => {
  const understood = new Map([...keeperShapes, ...moldShapes, ...workerShapes]);
  test.each(python.spoken.filter((message) => understood.has(message.type)))('$type ($where)', (message) => {
    const shape = understood.get(message.type)!;
    expect(message.keys).toEqual(expect.arrayContaining(shape.required));
    expect([...shape.required, ...shape.optional]).toEqual(expect.arrayContaining(message.keys));
  });
});

test('every message that is sent is declared by one side', () => {
  const declared = new Set([
    ...keeperShapes.keys(),
    ...moldShapes.keys(),
    ...workerShapes.keys(),
    ...moldCommands,
    ...FROM_KEEPER,
    ...TO_KEEPER,
    ...python.loan_messages,
  ]);
  // ASGI's own messages (http.request, …) belong to the warm-up.
  const undeclared = python.spoken.filter(
    ({ type }) => !declared.has(type) && !/^(http|websocket|lifespan)/.test(type),
  );
  expect(undeclared).toEqual([]);
});

test('a mold reads those keys of its order that the supervisor writes', () => {
  expect(python.order_read).toEqual(orderKeys.toSorted());
});

test('the settings described by the agent are those read by the supervisor', () => {
  expect(python.settings.toSorted()).toEqual(Object.keys(settings.entries).toSorted());
});
