import { describe, it } from "vitest";
import type { Shape } from "../../tensor/op.ts";
import { parity, randomValues } from "../../tensor/testing.ts";
import type { TestInput } from "../../tensor/testing.ts";
import { packRows, weightLayouts } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { downFactors, totalRank, upFactors } from "./groupLinear.ts";
import type { GroupAttrs, Segment } from "./groupLinear.ts";
import { linearDownOp } from "./linearDown.ts";
import { linearGradientOp } from "./linearGradient.ts";
import { linearUpActOp, linearUpOp } from "./linearUp.ts";

interface Case {
  readonly layout?: WeightLayout;
  readonly rows: number;
  readonly inputs: number;
  readonly segments: readonly Segment[];
  readonly hasBias?: boolean;
  readonly canSplit?: boolean;
}

const input = (seed: number, shape: Shape): TestInput => ({ values: randomValues(seed, shape), shape });

/** Where the factors start in theta: neither is aligned. */
const offset = 3;

function attrsOf({ inputs, segments, layout = "f32", hasBias = false, canSplit = false }: Case): GroupAttrs {
  const outputs = segments.reduce((sum, { columns }) => sum + columns, 0);
  const used = totalRank(segments) === 0 ? [] : segments;
  return {
    inputs,
    outputs,
    layout,
    isNativeHalf: false,
    segments: used,
    offset,
    scale: 0.75,
    hasBias,
    canSplit,
  };
}

function weightOf({ inputs, outputs, layout }: GroupAttrs): TestInput {
  const plain = input(2, [outputs, inputs]);
  if (layout === "f32") return plain;
  const words = packRows(plain.values as Float32Array, [outputs, inputs], layout);
  return { values: words, shape: [outputs, words.length / outputs] };
}

/** Runs all four operations of a group; the gated one where the outputs can be halved. */
async function checkCase(testCase: Case): Promise<void> {
  const { rows, inputs, segments, hasBias = false } = testCase;
  const attrs = attrsOf(testCase);
  const { outputs } = attrs;
  const rank = totalRank(segments);
  const name = `${rows} rows, ${inputs} -> ${segments.map((each) => `${each.columns}:${each.rank}`).join(" ")}`;
  const [x, weight] = [input(1, [rows, inputs]), weightOf(attrs)];
  const bias = hasBias ? [input(3, [outputs])] : [];
  const low = rank === 0 ? [] : [input(4, [rows, rank + 2])];
  const theta = (factors: number): TestInput[] => (rank === 0 ? [] : [input(5, [offset + factors])]);
  const tolerance = 1e-5 * Math.sqrt(inputs + rank);
  const up = theta(upFactors(attrs));
  const upCase = { name, inputs: [x, weight, ...bias, ...low, ...up], tolerance };
  await parity(linearUpOp, { ...upCase, attrs: { ...attrs, xaOffset: 1 } });
  const activations = [["silu", true], ["geluTanh", false]] as const; // prettier-ignore
  if (outputs % 2 === 0) {
    for (const [activation, keeps] of activations) {
      await parity(linearUpActOp, { ...upCase, attrs: { ...attrs, xaOffset: 1, activation, keeps } });
    }
  }
  const downInputs = [x, weight, ...bias, ...theta(downFactors(attrs))];
  await parity(linearDownOp, { name, inputs: downInputs, attrs, tolerance });
  await parity(linearGradientOp, {
    name,
    inputs: [input(6, [rows, outputs]), weight, ...up],
    attrs: { ...attrs, hasBias: false },
    tolerance: 4e-5 * Math.sqrt(outputs),
  });
}

const alike = (rank: number, ...columns: number[]): Segment[] =>
  columns.map((width) => ({ columns: width, rank }));

describe("a group of linears on WebGPU", () => {
  it("is right at odd sizes", async () => {
    for (const rows of [1, 2, 3, 37]) {
      await checkCase({ rows, inputs: 37, segments: alike(5, 13, 13), hasBias: true });
    }
    await checkCase({ rows: 37, inputs: 37, segments: alike(3, 65) });
    await checkCase({ rows: 3, inputs: 172, segments: alike(4, 64) });
    await checkCase({ rows: 3, inputs: 1, segments: alike(1, 1) });
  });

  it.each([0, 1, 4, 8, 16, 64])("is right with rank %i", async (rank) => {
    await checkCase({ rows: 20, inputs: 96, segments: alike(rank, 96, 48, 48) });
  });

  it.each([
    [32, 8, 16, 0, 16, 8],
    [9, 0, 5, 8, 6, 4],
    [9, 0, 5, 0, 6, 6],
    [32, 3, 16, 1, 16, 0],
  ] as const)(
    "is right where linears have no adapter or another rank: %i:%i %i:%i %i:%i",
    async (...sizes) => {
      const segments = [0, 2, 4].map((at) => ({ columns: sizes[at]!, rank: sizes[at + 1]! }));
      await checkCase({ rows: 9, inputs: 40, segments });
    },
  );

  it("is right for long sums", async () => {
    await checkCase({ rows: 12, inputs: 2048, segments: alike(8, 16, 16), hasBias: true });
    await checkCase({ rows: 4, inputs: 2003, segments: alike(2, 7) });
    await checkCase({ rows: 12, inputs: 24, segments: alike(8, 1100, 1100) });
  });

  it.each(weightLayouts)("is right with a weight in %s", async (layout) => {
    await checkCase({ rows: 9, inputs: 2048, segments: alike(4, 8, 8), layout });
    await checkCase({ rows: 2, inputs: 37, segments: alike(3, 13), layout });
  });

  it("is right with more than 65,535 rows", async () => {
    await checkCase({ rows: 65_541, inputs: 8, segments: alike(1, 4, 4) });
  });
});

describe("a group of linears on WebGPU, the inner axis split", () => {
  // Few cases: a software GPU needs seconds to compile each shader with a barrier.
  it.each([
    { rows: 1, inputs: 576, segments: alike(8, 96, 32, 32), hasBias: true },
    { rows: 9, inputs: 37, segments: alike(5, 13, 13), hasBias: true },
    { rows: 3, inputs: 2048, segments: alike(4, 32), layout: "q8" as const },
  ])("is right for $rows rows of $inputs", async (testCase) => {
    await checkCase({ ...testCase, canSplit: true });
  });
});
