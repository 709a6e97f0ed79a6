/** Insertions, deletions and replacements that turn one list into another (Levenshtein); first · second steps. */
export function editDistance(first: readonly number[], second: readonly number[]): number {
  let above = Array.from({ length: second.length + 1 }, (_, column) => column);
  for (const [row, item] of first.entries()) {
    const here = [row + 1];
    for (const [column, other] of second.entries()) {
      const replaced = (above[column] ?? 0) + Number(item !== other);
      here.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (here[column] ?? 0) + 1));
    }
    above = here;
  }
  return above[second.length] ?? 0;
}
