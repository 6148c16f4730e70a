/** Compares the messages that the agent sends with those that the supervisor reads. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keeperMessage, moldCommand, moldMessage, PROTOCOL_VERSION, settings, workerMessage } from './messages.ts';

const root = new URL('../../', import.meta.url);

/**
 * Reads the Python side out of its source: every message that is written as a dict with a constant "type", and the
 * settings that a mold describes. What mypy compares with the types that scripts/tables.ts makes is not repeated here.
 */
const READER = `
import ast, json, pathlib, sys
from cowherd_agent.wire import messages

spoken, settings = [], []
agent = pathlib.Path(sys.argv[1])
for path in [agent / "launch.py", *sorted((agent / "cowherd_agent").rglob("*.py"))]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            if "type" in keys:
                kind = node.values[keys.index("type")]
                if isinstance(kind, ast.Constant):
                    spoken.append({"type": kind.value, "where": f"{path.name}:{node.lineno}"})
        if isinstance(node, ast.FunctionDef) and node.name == "describe" and path.stem == "gunicorn_settings":
            # One of them is all of own_settings.json.
            described = next(each.value for each in node.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Dict))
            settings = [key.value for key in described.keys if key is not None]
own = json.loads((agent / "cowherd_agent" / "own_settings.json").read_text())["settings"]
settings += [row["message"] for row in own if "message" in row]
print(json.dumps({
    "version": messages.PROTOCOL_VERSION,
    "loan_messages": sorted(messages.LOAN_MESSAGES),
    "spoken": spoken,
    "settings": settings,
}))
`;

interface PythonSide {
  version: number;
  loan_messages: string[];
  spoken: { type: string; where: string }[];
  settings: string[];
}

const python = JSON.parse(
  execFileSync(
    fileURLToPath(new URL('.venv/bin/python', root)),
    ['-c', READER, fileURLToPath(new URL('agent', root))],
    { encoding: 'utf8', env: { PYTHONPATH: fileURLToPath(new URL('agent', root)) } },
  ),
) as PythonSide;

const typesOf = (...unions: { options: readonly { entries: { type: { literal: string } } }[] }[]): string[] =>
  unions.flatMap((union) => union.options.map((option) => option.entries.type.literal));

/** Messages between Python processes alone. */
const OF_PYTHON = ['order', 'listeners', 'born', 'forked'];

test('both sides have the same protocol version', () => {
  expect(python.version).toBe(PROTOCOL_VERSION);
});

test('the agent sends every message that the supervisor understands', () => {
  const spoken = new Set(python.spoken.map((message) => message.type));
  const understood = typesOf(keeperMessage, moldMessage, workerMessage);
  expect(understood.filter((type) => !spoken.has(type))).toEqual([]);
});

test('every message that is sent is declared by one side', () => {
  const declared = new Set([
    ...typesOf(keeperMessage, moldMessage, workerMessage, moldCommand),
    ...OF_PYTHON,
    ...python.loan_messages,
  ]);
  // ASGI's own messages (http.request, …) belong to the warm-up.
  const undeclared = python.spoken.filter(
    ({ type }) => !declared.has(type) && !/^(http|websocket|lifespan)/.test(type),
  );
  expect(undeclared).toEqual([]);
});

test('the settings described by the agent are those read by the supervisor', () => {
  expect(python.settings.toSorted()).toEqual(Object.keys(settings.entries).toSorted());
});
