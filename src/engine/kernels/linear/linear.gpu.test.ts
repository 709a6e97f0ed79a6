import { expect, it } from "vitest";
import { read, tensor, tidy } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { valueAndVjp } from "../../tensor/vjp.ts";
import { linear } from "./linear.ts";

const rows = 128;

/** Output and gradients of x, weight, bias, a, b on one backend, and how many dispatches the output took. */
async function outcome(
  backend: "webgpu" | "cpu",
  [width, outWidth, rank]: readonly [number, number, number],
) {
  const device = await openTestDevice(backend);
  const shapes = [[rows, width], [outWidth, width], [outWidth], [rank, width], [outWidth, rank]]; // prettier-ignore
  const before = device.counters().dispatches;
  let forwardDispatches = 0;
  const { values, gradients } = tidy(() => {
    const tensors = shapes.map((shape, index) => tensor(randomValues(index, shape), shape));
    const [x, weight, bias, a, b] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const adapter = { a, b, scale: 2, dropout: { rate: 0.1, seed: 5 } };
    const forward = (): Tensor[] => {
      const y = linear(x, { weight, bias, adapter });
      forwardDispatches = device.counters().dispatches - before;
      return [y];
    };
    return valueAndVjp(forward, tensors, [tensor(randomValues(9, [rows, outWidth]), [rows, outWidth])]);
  });
  const results = await Promise.all([...values, ...gradients].map(read));
  for (const each of [...values, ...gradients]) each.dispose();
  return { results, forwardDispatches };
}

it.each([
  [96, 256, 8],
  [37, 65, 3],
] as const)("linear and its gradients agree on both backends at %i -> %i, rank %i", async (...sizes) => {
  const expected = await outcome("cpu", sizes);
  const actual = await outcome("webgpu", sizes);
  expect(actual.forwardDispatches).toBe(3);
  ["y", "x", "weight", "bias", "a", "b"].forEach((label, index) => {
    compare(actual.results[index]!, expected.results[index], { label, tolerance: 4e-4 });
  });
});
