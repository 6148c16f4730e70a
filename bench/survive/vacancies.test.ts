import { expect, it } from 'vitest';
import { vacanciesOf } from './vacancies.ts';

const kill = { pid: 7, stoppedAtMs: 100, killedAtMs: 101, endedAtMs: 102, clientPorts: [] };

it('a killed worker is missing from its stop on, and can be replaced when it has ended', () => {
  expect(vacanciesOf([kill], [], [])).toEqual([{ fromMs: 100, toMs: 102, fillableFromMs: 102 }]);
});

it('each worker more or less that is wanted is a place of its own, in the order of time', () => {
  const scalings = [
    { fromMs: 50, toMs: 55, by: 2 },
    { fromMs: 200, toMs: 205, by: -1 },
  ];
  expect(vacanciesOf([kill], scalings, []).map(({ fromMs }) => fromMs)).toEqual([50, 50, 100, 200]);
});

it('what becomes vacant while the keeper stands still can be filled when it goes on, and not before', () => {
  const stops = [
    { fromMs: 90, toMs: 8000 },
    { fromMs: 9000, toMs: 9500 },
  ];
  const later = { ...kill, stoppedAtMs: 8001, killedAtMs: 8002, endedAtMs: 8003 };
  expect(vacanciesOf([kill, later], [{ fromMs: 110, toMs: 111, by: 1 }], stops)).toEqual([
    { fromMs: 100, toMs: 102, fillableFromMs: 8000 },
    { fromMs: 110, toMs: 111, fillableFromMs: 8000 },
    { fromMs: 8001, toMs: 8003, fillableFromMs: 8003 },
  ]);
});
