import { describe, expect, test } from 'vitest';
import type { ControlSocket } from '../../agent/messages.ts';
import { sampleReport } from '../samples/sample-report.ts';
import type { RequestEvent } from '../decisions/requests.ts';
import type { Answer } from '../herd/draft.ts';
import { replyTo, type Herd } from './answers.ts';
import type { DirtyRequest } from './dirty-protocol.ts';

const SOCKET: ControlSocket = { path: '/c', mode: 0o600, is_chosen: false, is_tls: false, config: { workers: 2 } };

class Asked implements Herd {
  readonly heard: unknown[] = [];
  readonly report = sampleReport();
  answer: Answer | null = null;
  socket = SOCKET;

  facts(): ReturnType<Herd['facts']> {
    return {
      report: this.report,
      tally: { ageOf: () => 7, counts: { spawned: 5, killed: 3, reloads: 1 } },
      socket: this.socket,
      pulse: {
        heardAtMs: 0,
        isSilent: false,
        queues: [{ name: 'http://[::1]:1', waiting: 0, most: 1, descriptor: 9 }],
      },
    };
  }

  request(event: RequestEvent): Answer | null {
    this.heard.push(event);
    if (event.type === 'scale_to') this.report.herd.workers_wanted = event.workers;
    return this.answer;
  }

  reopenLogs(): void {
    this.heard.push('reopen');
  }

  dirty: unknown = null;
  async askDirty(request: DirtyRequest): Promise<unknown> {
    if (request.ask !== 'status') this.heard.push(request);
    if (this.dirty instanceof Error) throw this.dirty;
    return await Promise.resolve(this.dirty);
  }

  async ask(command: string, args?: unknown): Promise<unknown> {
    return await replyTo(JSON.stringify({ id: 4, command, args }), this);
  }
}

describe('what is shown', () => {
  const show = async (what: string, herd = new Asked()): Promise<unknown> => {
    const reply = await herd.ask(`show ${what}`);
    expect(reply).toMatchObject({ id: 4, status: 'ok' });
    return (reply as { data: unknown }).data;
  };

  test('workers', async () => {
    const worker = { pid: 11, age: 7, booted: true, aborted: false, last_heartbeat: null };
    expect(await show('workers')).toEqual({ workers: [worker], count: 1 });
  });

  test('all', async () => {
    expect(await show('all')).toEqual({
      arbiter: { pid: 8, type: 'arbiter', role: 'master' },
      web_workers: [{ pid: 11, type: 'web', age: 7, booted: true, last_heartbeat: null }],
      web_worker_count: 1,
      dirty_arbiter: null,
      dirty_workers: [],
      dirty_worker_count: 0,
    });
  });

  test('stats', async () => {
    expect(await show('stats')).toEqual({
      uptime: 2,
      pid: 8,
      workers_current: 1,
      workers_target: 0,
      workers_spawned: 5,
      workers_killed: 3,
      reloads: 1,
      dirty_arbiter_pid: null,
    });
  });

  test('listeners, with the scheme that they speak', async () => {
    const herd = new Asked();
    herd.report.herd.listeners = ['http://[::1]:1', 'http://127.0.0.1:2', 'unix:/a'];
    herd.socket = { ...SOCKET, is_tls: true };
    expect(await show('listeners', herd)).toEqual({
      listeners: [
        { address: 'https://[::1]:1', fd: 9, type: 'tcp6' },
        { address: 'https://127.0.0.1:2', fd: null, type: 'tcp' },
        { address: 'unix:/a', fd: null, type: 'unix' },
      ],
      count: 3,
    });
  });

  test('the dirty arbiter, as it says itself', async () => {
    const herd = new Asked();
    expect(await show('dirty', herd)).toEqual({ enabled: false, pid: null, workers: [], apps: [] });
    const worker = { pid: 78, age: 1, apps: ['a:A'], booted: false, last_heartbeat: 0.5 };
    herd.dirty = { arbiter_pid: 77, workers: [worker], apps: ['a:A', 'b:B'], worker_count: 1 };
    herd.socket = { ...SOCKET, config: { workers: 2, dirty_apps: ['a:A', 'b:B:3'] } };
    expect(await show('dirty', herd)).toEqual({
      enabled: true,
      pid: 77,
      workers: [worker],
      apps: [
        { import_path: 'a:A', worker_count: null, current_workers: 1, worker_pids: [78] },
        { import_path: 'b:B', worker_count: 3, current_workers: 0, worker_pids: [] },
      ],
    });
    const dirty_arbiter = { pid: 77, type: 'dirty_arbiter', role: 'dirty master' };
    expect(await show('all', herd)).toMatchObject({ dirty_arbiter, dirty_workers: [worker], dirty_worker_count: 1 });
    expect(await show('stats', herd)).toMatchObject({ dirty_arbiter_pid: 77 });
  });

  test.each([new Error('no'), 5, {}, { arbiter_pid: 'x' }])(
    'a dirty arbiter that answers %j is none',
    async (dirty) => {
      const herd = new Asked();
      herd.dirty = dirty;
      expect(await show('dirty', herd)).toMatchObject({ enabled: false });
    },
  );

  test('config', async () => {
    expect(await show('CONFIG')).toEqual({ workers: 2 });
  });
});

describe('an order', () => {
  test.each([
    ['worker add', [], 3, 5, 1, { added: 1, previous: 3, total: 4 }],
    ['worker add', ['4'], 3, 7, 4, { added: 4, previous: 3, total: 7 }],
    ['worker add -9', [], 3, 4, 1, { added: 1, previous: 3, total: 4 }],
    ['worker remove 2', [], 3, 1, 2, { removed: 2, previous: 3, total: 1 }],
    ['worker remove', [50], 3, 1, 2, { removed: 2, previous: 3, total: 1 }],
  ])('%s %j', async (command, args, wanted, _total, _by, data) => {
    const herd = new Asked();
    herd.report.herd.workers_wanted = wanted;
    expect(await herd.ask(command, args)).toEqual({ id: 4, status: 'ok', data });
    expect(herd.heard).toEqual([{ type: 'scale_to', workers: data.total, by: 'gunicornc' }]);
  });

  test.each([
    ['reload', { status: 'reloading' }, { type: 'reload_requested', by: 'gunicornc' }],
    ['reopen', { status: 'reopening' }, 'reopen'],
    [
      'shutdown',
      { status: 'shutting_down', mode: 'graceful' },
      { type: 'stop_requested', by: 'gunicornc', quick: false },
    ],
    [
      'shutdown quick',
      { status: 'shutting_down', mode: 'quick' },
      { type: 'stop_requested', by: 'gunicornc', quick: true },
    ],
  ])('%s', async (command, data, heard) => {
    const herd = new Asked();
    expect(await herd.ask(command)).toEqual({ id: 4, status: 'ok', data });
    expect(herd.heard).toEqual([heard]);
  });

  test('that the herd refuses is an error of the protocol', async () => {
    const herd = new Asked();
    herd.answer = { accepted: false, text: 'the herd is stopping', generation: null };
    for (const command of ['reload', 'worker add']) {
      expect(await herd.ask(command)).toEqual({
        id: 4,
        status: 'error',
        error: 'Command failed: the herd is stopping',
      });
    }
  });

  test('to the dirty arbiter is passed on', async () => {
    const herd = new Asked();
    const none = { success: false, error: 'Dirty arbiter not running' };
    expect(await herd.ask('dirty add 2')).toEqual({ id: 4, status: 'ok', data: none });
    herd.dirty = { success: true, spawned: 2 };
    expect(await herd.ask('dirty remove')).toEqual({ id: 4, status: 'ok', data: herd.dirty });
    herd.dirty = new Error('the dirty arbiter does not answer');
    const failed = { success: false, error: 'the dirty arbiter does not answer' };
    expect(await herd.ask('dirty add')).toEqual({ id: 4, status: 'ok', data: failed });
    expect(herd.heard).toEqual([
      { ask: 'add', count: 2 },
      { ask: 'remove', count: 1 },
      { ask: 'add', count: 1 },
    ]);
  });

  test('for a worker that is not there is answered as gunicorn answers it', async () => {
    const herd = new Asked();
    herd.answer = { accepted: false, text: 'Worker 5 not found', generation: null };
    const data = { success: false, error: 'Worker 5 not found' };
    expect(await herd.ask('worker kill 5')).toEqual({ id: 4, status: 'ok', data });
    herd.answer = { accepted: true, text: '', generation: null };
    expect(await herd.ask('worker kill', [5])).toEqual({ id: 4, status: 'ok', data: { success: true, killed: 5 } });
  });
});

test.each([
  ['', 'Empty command'],
  ['  ', 'Empty command'],
  ['reboot', 'Invalid argument: Unknown command: reboot'],
  ['show', 'Invalid argument: Missing show target (all|workers|dirty|config|stats|listeners)'],
  ['show Secrets', 'Invalid argument: Unknown show target: secrets'],
  ['worker', 'Invalid argument: Missing worker action (add|remove|kill)'],
  ['worker eat 1', 'Invalid argument: Unknown worker action: eat'],
  ['worker kill', 'Invalid argument: Missing PID for worker kill'],
  ['worker add 1e3', "Invalid argument: invalid literal for int() with base 10: '1e3'"],
  ['dirty', 'Invalid argument: Missing dirty action (add|remove)'],
  ['show "workers', 'Invalid argument: No closing quotation'],
])('%j is refused in the words of gunicorn', async (command, error) => {
  const herd = new Asked();
  expect(await herd.ask(command)).toEqual({ id: 4, status: 'error', error });
  expect(herd.heard).toEqual([]);
});

test.each(['', 'null', '[]', '{"command":5}', '{"id":{},"command":"help"}', '{"command":"help","args":{"a":1}}'])(
  '%j is refused, and orders nothing',
  async (text) => {
    const herd = new Asked();
    expect(await replyTo(text, herd)).toMatchObject({ id: 0, status: 'error' });
    expect(herd.heard).toEqual([]);
  },
);
