/** log(1 + e^x), exact to rounding for every x; `-log(sigmoid(u))` is `softplus(-u)`. */
export function softplus(x: number): number {
  const small = Math.exp(-Math.abs(x));
  // A log1p may be naive near 0, where its series has already converged.
  const rest = small < 1e-5 ? small * (1 - small * (0.5 - small / 3)) : Math.log1p(small);
  return Math.max(x, 0) + rest;
}

/** 1 / (1 + e^-x) without overflow. */
export function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}
