/** Whose memory: a type of a module, or memory that is no object. */
export interface OwnerName {
  /** Null where nothing says it: a dict or a string belongs to whoever holds it. */
  readonly module: string | null;
  readonly type: string;
}
