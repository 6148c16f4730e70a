/** Whose memory: a type of a module, or memory that is no object. */
export interface OwnerName {
  /** Null where nothing says it: a dict or a string belongs to whoever holds it. */
  readonly module: string | null;
  readonly type: string;
}

/** Memory of the small-object allocator that no object has; agent/cowherd_agent/census/extents.py has the same names. */
export const FREE_MEMORY: OwnerName = { module: null, type: '(free memory)' };
export const DICT_KEYS: OwnerName = { module: null, type: '(keys of dicts)' };
export const NO_OBJECT: OwnerName = { module: null, type: '(memory of no object)' };

/** Whether it is other memory, of which only the mapping is known. */
export function isLoose({ type }: OwnerName): boolean {
  return type.startsWith('(') && ![FREE_MEMORY, DICT_KEYS, NO_OBJECT].some((each) => each.type === type);
}
