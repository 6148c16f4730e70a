/**
 * A part of the state as its owner sees it: writable, whatever the depth. Arrays stay readonly; they are replaced, not
 * changed.
 */
export type Writable<T> = T extends number | readonly unknown[]
  ? T
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T;
