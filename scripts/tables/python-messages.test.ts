/** The Python that is made of the messages. That it is up to date is a check of the suite (scripts/tables.ts). */
import { expect, test } from 'vitest';
import { keeperCommand, keeperMessage, moldCommand } from '../../src/agent/messages.ts';
import { shapesSource, typesSources } from './python-messages.ts';

const types = Object.values(typesSources()).join('\n');
const shapes = JSON.parse(shapesSource()) as Record<string, Record<string, unknown>>;

test('each message has a class, with the fields of its schema', () => {
  expect(types).toContain(`class KeeperListenFailed(TypedDict):
    type: Literal["listen_failed"]
    generation: int
    code: Literal["ADDRESS_IN_USE", "ADDRESS_UNAVAILABLE"]
    address: str
    reason: str
`);
  expect(types).toContain(`class MoldProgress(TypedDict):
    type: Literal["progress"]
    phase: str
    text: str
    done: float
    total: NotRequired[float]
    seconds: float
    final: bool
`);
  for (const option of keeperMessage.options) {
    expect(types).toContain(`    type: Literal["${option.entries.type.literal}"]\n`);
  }
});

test('a message of two unions is one class', () => {
  expect(types.match(/Literal\["notice"\]/g)).toHaveLength(1);
});

test('a class is defined once, in one of the files, and each name in a union is a class', () => {
  const names = [...types.matchAll(/^class (\w+)\(/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const [, used = ''] of types.matchAll(/^ {4}"(\w+)",$/gm)) expect(names).toContain(used);
});

test('each command has its shape', () => {
  expect(Object.keys(shapes['KeeperCommand'] ?? {})).toEqual(
    keeperCommand.options.map((option) => option.entries.type.literal),
  );
  expect(shapes['KeeperCommand']?.['to_mold']).toMatchObject({ message: ['variant', 'type', shapes['MoldCommand']] });
  expect(shapes['MoldCommand']).toMatchObject({
    fork: { slot: ['whole', 0] },
    worker_exited: { pid: ['whole', 1], exit_status: ['nullable', 'whole'] },
  });
  expect(Object.keys(shapes['MoldCommand'] ?? {})).toHaveLength(moldCommand.options.length);
});
