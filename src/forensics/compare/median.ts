/** The item with the median number; the lower of the two if the count is even. */
export function medianOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): Item | undefined {
  return items.toSorted((a, b) => numberOf(a) - numberOf(b))[(items.length - 1) >> 1];
}
