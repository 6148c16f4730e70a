import { describe, expect, test } from 'vitest';
import { activatedDescriptors, listenAddresses, takeInheritedSockets } from './inherited-sockets.ts';
import type { Address } from './messages.ts';

describe('socket activation (sd_listen_fds(3))', () => {
  test('descriptors are counted from 3', () => {
    expect(activatedDescriptors({ LISTEN_FDS: '2', LISTEN_PID: '77', LISTEN_FDNAMES: 'web:admin' }, 77)).toEqual([
      3, 4,
    ]);
  });

  test.each([
    ['none are passed', {}],
    ['they are for another process', { LISTEN_FDS: '1', LISTEN_PID: '76' }],
    ['the process is not named', { LISTEN_FDS: '1' }],
    ['the number is none', { LISTEN_FDS: 'one', LISTEN_PID: '77' }],
    ['the number is negative', { LISTEN_FDS: '-1', LISTEN_PID: '77' }],
  ])('nothing is used when %s', (_, env) => {
    expect(activatedDescriptors(env, 77)).toEqual([]);
  });

  test('the variables are removed, also those for another process', () => {
    const env = { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'web', HOME: '/root' };
    expect(takeInheritedSockets(env).activated).toEqual([]);
    expect(env).toEqual({ HOME: '/root' });
  });
});

describe('the listening addresses', () => {
  const tcp: Address = { kind: 'tcp', host: '127.0.0.1', port: 8000 };
  const fd = (descriptor: number): Address => ({ kind: 'fd', descriptor });

  test('are the configured ones without inherited sockets', () => {
    expect(listenAddresses([tcp], [])).toEqual([tcp]);
  });

  test("are systemd's sockets instead of the configured ones", () => {
    expect(listenAddresses([tcp], [3, 4])).toEqual([fd(3), fd(4)]);
  });

  test('are configured descriptors, too; each is used once', () => {
    expect(listenAddresses([tcp, fd(4)], [])).toEqual([fd(4)]);
    expect(listenAddresses([fd(4)], [3, 4])).toEqual([fd(4), fd(3)]);
  });
});
