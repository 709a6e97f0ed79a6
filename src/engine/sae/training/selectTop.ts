/** Which pre-activations of a batch are kept: the largest of all rows, or of some features in every row. */

/**
 * The `count`-th largest positive value; the smallest positive one where there are no more than that, and +∞ where there
 * is none. Quickselect (Hoare 1961): linear time on average.
 */
export function positiveLimit(values: ArrayLike<number>, count: number): number {
  const positive = new Float32Array(values.length);
  let size = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) positive[size++] = values[i]!;
  if (size === 0 || count < 1) return Number.POSITIVE_INFINITY;
  const place = Math.min(count, size) - 1;
  let [first, last] = [0, size - 1];
  while (first < last) {
    const pivot = positive[(first + last) >> 1]!;
    let [left, right] = [first, last];
    while (left <= right) {
      while (positive[left]! > pivot) left++;
      while (positive[right]! < pivot) right--;
      if (left > right) break;
      const larger = positive[right]!;
      positive[right--] = positive[left]!;
      positive[left++] = larger;
    }
    if (place <= right) last = right;
    else if (place >= left) first = left;
    else break;
  }
  return positive[place]!;
}

/**
 * BatchTopK (Bussmann et al. 2024, arXiv 2412.06410): the `count` largest positive pre-activations of a whole batch, and
 * those that equal the least of them; 0 elsewhere.
 */
export function batchTop(pre: ArrayLike<number>, count: number): Float32Array {
  const limit = positiveLimit(pre, count);
  return Float32Array.from(pre, (value) => (value >= limit ? value : 0));
}

/** The `count` largest positive pre-activations [rows, width] of every row among some features; 0 elsewhere. */
export function rowTop(
  pre: ArrayLike<number>,
  width: number,
  { features, count }: { readonly features: readonly number[]; readonly count: number },
): Float32Array {
  const kept = new Float32Array(pre.length);
  const row = new Float32Array(features.length);
  for (let start = 0; start < pre.length; start += width) {
    features.forEach((feature, place) => (row[place] = pre[start + feature]!));
    const limit = positiveLimit(row, count);
    features.forEach((feature, place) => {
      if (row[place]! >= limit) kept[start + feature] = row[place]!;
    });
  }
  return kept;
}
