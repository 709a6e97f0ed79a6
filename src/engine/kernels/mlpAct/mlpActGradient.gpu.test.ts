import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { mlpActGradientOp } from "./mlpActGradient.ts";

async function checkParity(
  [rows, width, rank]: readonly [number, number, number],
  act: "silu" | "geluTanh" | "gelu",
): Promise<void> {
  const aOffset = 5; // not a multiple of 4
  const matrix = (seed: number, shape: number[], scale = 1) => ({
    values: randomValues(seed, shape, scale),
    shape,
  });
  const adapter = [matrix(2, [rows, rank]), matrix(3, [aOffset + rank * width])];
  await parity(mlpActGradientOp, {
    name: `${rows} x ${width}, rank ${rank}`,
    inputs: [matrix(1, [rows, width]), ...(rank > 0 ? adapter : []), matrix(4, [rows, 2 * width], 2)],
    attrs: { act, rank, aOffset, isVector: width % 4 === 0 },
    tolerance: 4e-5 * Math.sqrt(Math.max(1, rank)),
  });
}

describe.each(["silu", "geluTanh", "gelu"] as const)("mlpActGradient of %s on WebGPU", (act) => {
  it.each([
    [1, 1, 0],
    [3, 172, 1],
    [37, 65, 4],
    [65, 256, 8],
    [512, 96, 0],
    [66, 1536, 16],
    [5, 2048, 64],
  ] as const)("agrees with the oracle for %i rows of %i at rank %i", async (rows, width, rank) => {
    await checkParity([rows, width, rank], act);
  });
});

describe("mlpActGradient on WebGPU", () => {
  it("takes more rows than workgroups on one axis", async () => {
    await checkParity([70_001, 4, 1], "silu");
  });

  it("folds more than 65,535 workgroups", async () => {
    await checkParity([1, 65_536 * 64 + 1, 0], "silu");
  });
});
