import type { ControlOrder } from './control/control-messages.ts';
import type { RequestEvent } from './decisions/requests.ts';

/** Turns a command's order into an event. The command `heal` sends the order `merge`. */
export function requestOf(order: ControlOrder): RequestEvent {
  const by = `cowherd ${order.type === 'merge' ? 'heal' : order.type}`;
  return order.type === 'scale'
    ? { type: 'scale_to', workers: order.workers, by }
    : { type: `${order.type}_requested`, by };
}
