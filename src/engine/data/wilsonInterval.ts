/** Standard normal quantile of 97.5 %. */
const Z = 1.959963984540054;

/** Wilson's score interval of 95 % for a share of `count`. */
export function wilsonInterval(share: number, count: number): readonly [number, number] {
  const spread = Z ** 2 / count;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((share * (1 - share)) / count + spread / (4 * count))) / (1 + spread);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
