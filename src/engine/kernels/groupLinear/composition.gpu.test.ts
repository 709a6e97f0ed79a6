import { expect, it } from "vitest";
import { read, run, tensor, tidy } from "../../tensor/run.ts";
import { compare as checkClose, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { valueAndVjp } from "../../tensor/vjp.ts";
import { gatedActivation, gatedActivationGradientOp } from "../gatedActivation/gatedActivation.ts";
import { linear } from "../linear/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { linearDown } from "./linearDown.ts";
import { linearGradient } from "./linearGradient.ts";
import { linearUp, linearUpAct } from "./linearUp.ts";

const [rows, inputs, width, rank, scale] = [40, 96, 128, 8, 2];
const random = (seed: number, length: number): Float32Array => randomValues(seed, [length], 0.2);
/** Of the gate, then of the up projection. */
const weights = [1, 2].map((seed) => random(seed, width * inputs));
const biases = [3, 4].map((seed) => random(seed, width));
const downs = [5, 6].map((seed) => random(seed, rank * inputs));
const ups = [7, 8].map((seed) => random(seed, width * rank));
const x = randomValues(9, [rows, inputs]);
const da = randomValues(10, [rows, width]);

const joined = (parts: readonly Float32Array[]): number[] => parts.flatMap((part) => [...part]);

/** What the tape makes of single linears: gate, up, the gated product, and the gradient of the rows. */
function onTape(): Tensor[] {
  const rowsOfX = tensor(x, [rows, inputs]);
  const [gate, up] = [0, 1].map((each) => ({
    weight: tensor(weights[each]!, [width, inputs]),
    bias: tensor(biases[each]!, [width]),
    adapter: { a: tensor(downs[each]!, [rank, inputs]), b: tensor(ups[each]!, [width, rank]), scale },
  }));
  const forward = (): Tensor[] => {
    const [g, u] = [linear(rowsOfX, gate!), linear(rowsOfX, up!)];
    return [g, u, gatedActivation(g, u, "silu")];
  };
  const { values, gradients } = valueAndVjp(forward, [rowsOfX], [undefined, undefined, tensor(da, [rows, width])]); // prettier-ignore
  return [...values, ...gradients];
}

const half = (values: ArrayLike<number>, which: 0 | 1): Float32Array =>
  Float32Array.from({ length: rows * width }, (_, index) => {
    return values[Math.floor(index / width) * 2 * width + which * width + (index % width)]!;
  });

it.each(["cpu", "webgpu"] as const)("a group equals single linears under the tape on %s", async (backend) => {
  const device = await openTestDevice(backend);
  const expected = tidy(onTape);
  const group = {
    theta: tensor(joined([...downs, ...ups]), [2 * rank * (inputs + width)]),
    segments: [{ columns: width, rank }, { columns: width, rank }], // prettier-ignore
    aOffset: 0,
    bOffset: 2 * rank * inputs,
    scale,
  };
  const stacked = tensor(joined(weights), [2 * width, inputs]);
  const options = { bias: tensor(joined(biases), [2 * width]), adapter: group };
  const rowsOfX = tensor(x, [rows, inputs]);
  const before = device.counters().dispatches;
  const { y, ya } = linearDown(rowsOfX, stacked, options);
  const { a, gu } = linearUpAct(rowsOfX, stacked, { ...options, xa: ya!, activation: "silu", keeps: true });
  const whole = linearUp(rowsOfX, stacked, { ...options, xa: ya! });
  expect(device.counters().dispatches - before).toBe(backend === "webgpu" ? 3 : 0);
  const parts = await read(gu!);
  checkClose(await read(whole), parts, { label: "gu", tolerance: 1e-5 });
  const halves = [half(parts, 0), half(parts, 1)];
  for (const [index, actual] of [...halves, await read(a)].entries()) {
    const label = ["gate", "up", "a"][index]!;
    checkClose(actual, await read(expected[index]!), { label, tolerance: 1e-4 });
  }
  const tensors = [...halves, da].map((values) => tensor(values, [rows, width]));
  const changes = run(gatedActivationGradientOp, tensors, { act: "silu" });
  const [dgate, dup] = await Promise.all(changes.map(read));
  const dgu = Array.from({ length: rows * 2 * width }, (_, index) => {
    const [row, column] = [Math.floor(index / (2 * width)), index % (2 * width)];
    return column < width ? dgate![row * width + column]! : dup![row * width + column - width]!;
  });
  const { dx, dxa } = linearGradient(tensor(dgu, [rows, 2 * width]), stacked, { adapter: group });
  const down = tensor(joined(downs), [2 * rank, inputs]);
  const fromAdapters = matmul(dxa!, down, { form: "ab" });
  const lowRank = await read(fromAdapters);
  const total = (await read(dx)).map((value, index) => value + lowRank[index]!);
  checkClose(total, await read(expected[3]!), { label: "dx", tolerance: 4e-4 });
  y.dispose();
});
