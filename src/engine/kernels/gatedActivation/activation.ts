/** Activation functions by name: their values and slopes on the host, in float64. */

/** silu: g sigmoid(g). gelu: g Phi(g) (Hendrycks and Gimpel 2016). geluTanh: its approximation by a tanh. */
export type Activation = "silu" | "geluTanh" | "gelu";

/** An activation and its derivative at one point. */
export interface Activated {
  readonly value: number;
  readonly slope: number;
}

/** sqrt(2 / pi), the slope of the tanh of `geluTanh` at 0. */
export const tanhSlope = Math.sqrt(2 / Math.PI);
/** Weight of the cube in the tanh of `geluTanh`. */
export const cubeWeight = 0.044715;

/** Beyond this, erf differs from 1 by less than float64 can tell. */
const erfLimit = 6;

/** Value and slope of an activation at `g`. */
export function activate(act: Activation, g: number): Activated {
  if (act === "gelu") {
    const share = (1 + erf(g / Math.SQRT2)) / 2;
    const density = Math.exp((-g * g) / 2) / Math.sqrt(2 * Math.PI);
    return { value: g * share, slope: share + g * density };
  }
  // 0.5 (1 + tanh(u)) is sigmoid(2 u), so both are g sigmoid(a(g)).
  const argument = act === "silu" ? g : 2 * tanhSlope * (g + cubeWeight * g ** 3);
  const argumentSlope = act === "silu" ? 1 : 2 * tanhSlope * (1 + 3 * cubeWeight * g * g);
  const share = 1 / (1 + Math.exp(-argument));
  return { value: g * share, slope: share * (1 + g * (1 - share) * argumentSlope) };
}

/** Error function to float64 precision, by the series 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!. */
export function erf(x: number): number {
  if (Math.abs(x) > erfLimit) return Math.sign(x);
  let term = x;
  let sum = x;
  // All terms have one sign, so nothing cancels.
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
