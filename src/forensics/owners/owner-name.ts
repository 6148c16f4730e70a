/** The owner of some memory: a type of a module, or a kind of memory that is not an object. */
export interface OwnerName {
  /** Null if nothing tells it: a dict or a string belongs to whoever holds it. */
  readonly module: string | null;
  readonly type: string;
}

/** Memory of the small-object allocator without an object. */
export const FREE_MEMORY: OwnerName = { module: null, type: '(free memory)' };
export const DICT_KEYS: OwnerName = { module: null, type: '(keys of dicts)' };
export const NO_OBJECT: OwnerName = { module: null, type: '(memory of no object)' };

/** Whether only the mapping of the memory is known. */
export function isLoose({ type }: OwnerName): boolean {
  return type.startsWith('(') && ![FREE_MEMORY, DICT_KEYS, NO_OBJECT].some((each) => each.type === type);
}
