/** All attacks by another user of the machine. */
import type { NeighbourAttack } from './attack.ts';
import { BOUND_ATTACKS } from './bounds.ts';
import { CONTROL_SOCKET_ATTACKS } from './control-socket.ts';
import { DOOR_ATTACKS } from './doors.ts';
import { FOLDER_ATTACKS } from './folders.ts';
import { LINK_ATTACKS } from './links.ts';
import { LOG_ATTACKS } from './log.ts';
import { METRICS_ATTACKS } from './metrics.ts';
import { SOCKET_ATTACKS } from './sockets.ts';
import { TERMINAL_ATTACKS } from './terminal.ts';

export type { NeighbourAttack };

export const NEIGHBOUR_ATTACKS: readonly NeighbourAttack[] = [
  ...FOLDER_ATTACKS,
  ...TERMINAL_ATTACKS,
  ...LOG_ATTACKS,
  ...SOCKET_ATTACKS,
  ...LINK_ATTACKS,
  ...BOUND_ATTACKS,
  ...DOOR_ATTACKS,
  ...CONTROL_SOCKET_ATTACKS,
  ...METRICS_ATTACKS,
];

/** The attacks that are part of `make test`: cheap ones, of each kind. */
export const SHORT_OF_NEIGHBOURS: readonly string[] = [
  "the folder of root's herds, made by another user",
  'a runtime directory that is in use for something else',
  "escape sequences in the names of a process and of its files, on root's terminal: why",
  "a herd of another user in the place of one's own: status, reload, scale, stop, list, why",
  "the pid of root's process as that of the herd to be stopped",
  'every way to a running herd: its sockets, its files, its processes',
  'other paths, hosts and methods at the metrics endpoint',
];
