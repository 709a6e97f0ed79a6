import { describe, it } from "vitest";
import type { Shape } from "../../tensor/op.ts";
import { parity, randomValues } from "../../tensor/testing.ts";
import type { ParityCase } from "../../tensor/testing.ts";
import { packRows, weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { columnSumOp } from "./columnSum.ts";
import { matmulAttrs, matmulOp } from "./matmul.ts";
import type { MatmulAttrs } from "./matmul.ts";
import type { MatmulForm } from "./matmul.wgsl.ts";

interface Case {
  readonly form: MatmulForm;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Inner size of the second product. */
  readonly rank?: number;
  readonly hasBias?: boolean;
  readonly canSplit?: boolean;
  readonly layout?: WeightLayout;
}

function shapesOf(form: MatmulForm, rows: number, columns: number, inner: number): Shape[] {
  return [
    form === "atb" ? [inner, rows] : [rows, inner],
    form === "abt" ? [columns, inner] : [inner, columns],
  ];
}

function caseOf({
  form,
  rows,
  columns,
  inner,
  rank,
  hasBias = false,
  canSplit = true,
  layout = "f32",
}: Case): ParityCase<MatmulAttrs> {
  const [left, right] = shapesOf(form, rows, columns, inner) as [Shape, Shape];
  const [outputs, packedInputs] = right as [number, number];
  const operands = [
    left,
    [outputs, wordsPerRow(layout, packedInputs)],
    ...(rank === undefined ? [] : shapesOf(form, rows, columns, rank)),
  ];
  const shapes = hasBias ? [...operands, [columns]] : operands;
  return {
    name: `${layout} ${form} ${rows}x${columns} from ${inner}${rank === undefined ? "" : ` and ${rank}`}`,
    inputs: shapes.map((shape, index) => {
      if (index !== 1 || layout === "f32") return { values: randomValues(index + 1, shape), shape };
      return { values: packRows(randomValues(2, right), [outputs, packedInputs], layout), shape };
    }),
    attrs: matmulAttrs(operands, {
      form,
      scale: 0.75,
      secondScale: -1.5,
      hasBias,
      canSplit,
      layout,
      packedInputs,
    }),
    tolerance: 1e-5 * Math.sqrt(inner + (rank ?? 0)),
  };
}

const forms: readonly MatmulForm[] = ["abt", "ab", "atb"];

describe.each(forms)("matmul %s on WebGPU", (form) => {
  it("is right at odd sizes", async () => {
    for (const rows of [1, 2, 3, 37, 65]) {
      await parity(
        matmulOp,
        caseOf({ form, rows, columns: 65, inner: 37, rank: 3, hasBias: true, canSplit: false }),
      );
    }
    await parity(matmulOp, caseOf({ form, rows: 1, columns: 1, inner: 1 }));
    await parity(matmulOp, caseOf({ form, rows: 65, columns: 3, inner: 1 }));
    await parity(matmulOp, caseOf({ form, rows: 36, columns: 37, inner: 40, canSplit: false }));
    await parity(matmulOp, caseOf({ form, rows: 37, columns: 36, inner: 40, canSplit: false }));
  });

  it("is right with a second product of any rank", async () => {
    for (const rank of [1, 4, 8, 16]) {
      await parity(
        matmulOp,
        caseOf({ form, rows: 64, columns: 96, inner: 96, rank, hasBias: true, canSplit: false }),
      );
    }
  });

  it("is right where the inner axis is split", async () => {
    await parity(matmulOp, caseOf({ form, rows: 8, columns: 96, inner: 640, rank: 8, hasBias: true }));
    await parity(matmulOp, caseOf({ form, rows: 1, columns: 256, inner: 96, rank: 8 }));
    await parity(matmulOp, caseOf({ form, rows: 12, columns: 16, inner: 2048 }));
    await parity(matmulOp, caseOf({ form, rows: 5, columns: 7, inner: 2003 }));
  });

  it("is right with many columns", async () => {
    await parity(matmulOp, caseOf({ form, rows: 33, columns: 2003, inner: 16 }));
  });
});

describe("matmul on WebGPU", () => {
  it("is right at the shapes of the embedded model", async () => {
    await parity(matmulOp, caseOf({ form: "abt", rows: 640, columns: 256, inner: 96, rank: 8 }));
    await parity(matmulOp, caseOf({ form: "ab", rows: 640, columns: 96, inner: 256 }));
    await parity(matmulOp, caseOf({ form: "atb", rows: 96, columns: 8, inner: 640 }));
  });

  it("is right with more than 65,535 rows", async () => {
    await parity(matmulOp, caseOf({ form: "abt", rows: 65_541, columns: 4, inner: 8 }));
  });
});

const packedLayouts = weightLayouts.filter((layout) => layout !== "f32");

describe.each(packedLayouts)("matmul on WebGPU by a weight in %s", (layout) => {
  it.each(["abt", "ab"] as const)("is right at odd sizes, %s", async (form) => {
    for (const rows of [1, 3, 9]) {
      for (const [columns, inner] of [
        [65, 37],
        [37, 36],
        [36, 37],
        [36, 100],
      ] as const) {
        const sizes = { form, rows, columns, inner, layout };
        await parity(matmulOp, caseOf({ ...sizes, rank: 3, hasBias: true, canSplit: false }));
      }
    }
  });

  it("is right where the inner axis is split", async () => {
    await parity(matmulOp, caseOf({ form: "abt", rows: 1, columns: 96, inner: 640, rank: 8, layout }));
    await parity(matmulOp, caseOf({ form: "abt", rows: 5, columns: 7, inner: 2003, layout }));
    await parity(matmulOp, caseOf({ form: "ab", rows: 5, columns: 96, inner: 512, rank: 8, layout }));
  });

  // Widths of SmolLM2-135M: hidden 576, key and value heads 192, intermediate 1,536.
  it("is right at the shapes of a model of 135 million parameters", async () => {
    const large = { rows: 9, rank: 8, layout, canSplit: false } as const;
    await parity(matmulOp, caseOf({ ...large, form: "abt", columns: 192, inner: 576 }));
    await parity(matmulOp, caseOf({ ...large, form: "abt", columns: 576, inner: 1536 }));
    await parity(matmulOp, caseOf({ ...large, form: "ab", columns: 1536, inner: 576 }));
  });
});

describe("columnSum on WebGPU", () => {
  it.each([
    [1, 1],
    [37, 65],
    [640, 96],
  ])("is right for [%i, %i]", async (rows, columns) => {
    const shape = [rows, columns];
    await parity(columnSumOp, {
      name: "columnSum",
      inputs: [{ values: randomValues(1, shape), shape }],
      attrs: {},
    });
  });
});
