/** Gradients of functions of tensors, recorded on the tape. */
import { accumulateOp } from "./accumulate.ts";
import { backward, record, release } from "./backward.ts";
import { run, tidy } from "./run.ts";
import type { Tensor } from "./tfjs.ts";

/** The value of a differentiated function next to its gradients. */
export interface ValueAndGradients {
  readonly values: Tensor[];
  /** One per x, of its shape, float32. */
  readonly gradients: Tensor[];
}

/**
 * Gradients of `sum(f() * dy)` with respect to `xs`. `f` closes over `xs` and runs operations on them. Can be called
 * inside a gradient. Throws when an x has no path to the result. A block may overwrite `dy`.
 */
export function vjp(f: () => Tensor, xs: readonly Tensor[], dy: Tensor): Tensor[] {
  const { values, gradients } = valueAndVjp(() => [f()], xs, [dy]);
  for (const value of values) value.dispose();
  return gradients;
}

/**
 * Like `vjp` for a function with several outputs, and keeps their values. `dys` holds one upstream gradient per
 * output, or undefined for an output that does not count.
 */
export function valueAndVjp(
  f: () => Tensor[],
  xs: readonly Tensor[],
  dys: readonly (Tensor | undefined)[],
): ValueAndGradients {
  return tidy(() => {
    const { result: values, tape } = record(() => tidy(f));
    try {
      const gradients = backward(tape, { xs, ys: values, dys }, addTensors).map((gradient, index) => {
        if (gradient === undefined) throw new Error(`no path leads from x ${index} to the result`);
        return gradient;
      });
      return { values, gradients };
    } finally {
      release(tape);
    }
  });
}

function addTensors(a: Tensor, b: Tensor): Tensor {
  const [sum] = run(accumulateOp, [a, b], {});
  if (sum === undefined) throw new Error("accumulate has one output");
  return sum;
}
