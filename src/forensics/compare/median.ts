/** What stands for many: the item whose number is the median; of an even count the lower one. */
export function medianOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): Item | undefined {
  return items.toSorted((a, b) => numberOf(a) - numberOf(b))[(items.length - 1) >> 1];
}
