import { expect, test } from 'vitest';
import { commandOf, cowherd, gunicornPlain, gunicornPreload, nameOf, POLICIES, uwsgi } from './servers.ts';

const place = { app: 'feed', port: 8123, workers: 8, folder: '/scratch' } as const;
const line = (server: Parameters<typeof commandOf>[0]): string => commandOf(server, place).args.join(' ');

test('all servers get the same address, and as many workers', () => {
  for (const server of [gunicornPlain, gunicornPreload, uwsgi, ...POLICIES.map(cowherd)]) {
    expect(line(server)).toContain('127.0.0.1:8123');
    expect(line(server)).toMatch(/--(workers|processes) 8\b/);
    expect(line(server)).toContain('feed.wsgi');
  }
});

test('what tells the arms apart', () => {
  expect(line(gunicornPreload)).toContain('--preload');
  expect(line(gunicornPlain)).not.toContain('--preload');
  expect(line(cowherd('freeze'))).toContain('--policy freeze');
  expect(line(cowherd('auto'))).not.toContain('--sampling-budget');
  expect(line({ kind: 'cowherd', policy: 'auto', samplingBudgetPercent: 0 })).toContain('--sampling-budget 0');
});

test('every arm has a name of its own', () => {
  const names = [gunicornPlain, gunicornPreload, uwsgi, ...POLICIES.map(cowherd)].map(nameOf);
  expect(new Set(names).size).toBe(names.length);
});
