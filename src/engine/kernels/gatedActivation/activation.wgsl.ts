import { cubeWeight, tanhSlope, type Activation } from "./activation.ts";

/**
 * P of erfc(x) = t exp(P(t) - x^2) with t = 1 / (1 + x / 2), from the lowest power: least squares over Chebyshev nodes for
 * x in [0, 10], where log(erfc(x) / t) + x^2 is met within 5e-8.
 */
const errorPolynomial = [
  -1.265448, 0.998632783, 0.386640412, 0.0346027998, 0.0012675869, -0.0802804333, -0.696251897, 1.15673376,
  -0.680827177, 0.144930214,
];

const literal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);

const horner = (coefficients: readonly number[], variable: string): string =>
  coefficients
    .toReversed()
    .map((coefficient) => `Value(${literal(coefficient)})`)
    .reduce((sum, coefficient) => `(${sum}) * ${variable} + ${coefficient}`);

const geluBody = `
  let x = min(abs(g) * ${Math.SQRT1_2}, Value(10.0)); // erfc(10) is 0 in 32 bit
  let t = Value(1.0) / (Value(1.0) + 0.5 * x);
  let tail = 0.5 * t * exp(${horner(errorPolynomial, "t")} - x * x);
  let share = select(Value(1.0) - tail, tail, g < Value(0.0));
  // The density is negligible from 10 sqrt(2) on.
  return Activated(g * share, share + g * ${1 / Math.sqrt(2 * Math.PI)} * exp(-x * x));`;

// 0.5 (1 + tanh(u)) is sigmoid(2 u); WGSL's own tanh is coarse. Beyond 80 an exponential could overflow.
// 1 - share would cancel where the share is close to 1.
const sigmoidBody = (argument: string, argumentSlope: string): string => `
  let power = exp(min(-(${argument}), Value(80.0)));
  let share = Value(1.0) / (Value(1.0) + power);
  return Activated(g * share, share * (Value(1.0) + g * power * share${argumentSlope}));`;

const bodies: Readonly<Record<Activation, string>> = {
  silu: sigmoidBody("g", ""),
  geluTanh: sigmoidBody(
    `${2 * tanhSlope} * g * (Value(1.0) + ${cubeWeight} * g * g)`,
    ` * (${2 * tanhSlope} + ${6 * tanhSlope * cubeWeight} * g * g)`,
  ),
  gelu: geluBody,
};

/**
 * Text of `activate(g: Value) -> Activated { value, slope }` for an activation; Value is f32, or vec4<f32> when `width`
 * is 4. A shader that reads only one of the two members costs no more than that one.
 */
export function activationWgsl(act: Activation, width: 1 | 4 = 1): string {
  return `alias Value = ${width === 4 ? "vec4<f32>" : "f32"};
struct Activated { value: Value, slope: Value }

fn activate(g: Value) -> Activated {${bodies[act]}
}`;
}
