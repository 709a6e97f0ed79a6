import { describe, expect, it } from "vitest";
import { ShapeError } from "../../tensor/op.ts";
import type { Shape } from "../../tensor/op.ts";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { packRows, unpackRow, weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import { columnSumOp } from "./columnSum.ts";
import { matmulAttrs, matmulOp } from "./matmul.ts";
import type { MatmulForm } from "./matmul.wgsl.ts";

const forms: readonly MatmulForm[] = ["abt", "ab", "atb"];

/** Shapes of the operands of a product [rows, columns]. */
function operandShapes(form: MatmulForm, rows: number, columns: number, inner: number): [Shape, Shape] {
  return [
    form === "atb" ? [inner, rows] : [rows, inner],
    form === "abt" ? [columns, inner] : [inner, columns],
  ];
}

/** The definition, entry by entry. */
function entry(form: MatmulForm, operands: readonly Float64Array[], sizes: readonly number[]): number {
  const [rows, columns, inner, row, column] = sizes as [number, number, number, number, number];
  const [left, right] = operands as [Float64Array, Float64Array];
  let sum = 0;
  for (let k = 0; k < inner; k++) {
    const a = left[form === "atb" ? k * rows + row : row * inner + k]!;
    const b = right[form === "abt" ? column * inner + k : k * columns + column]!;
    sum += a * b;
  }
  return sum;
}

describe.each(forms)("matmul %s", (form) => {
  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [4, 8, 12],
    [37, 6, 3],
    [2, 65, 4],
  ])("equals the definition for %i x %i from %i", (rows, columns, inner) => {
    const rank = 3;
    const shapes = [
      ...operandShapes(form, rows, columns, inner),
      ...operandShapes(form, rows, columns, rank),
      [columns],
    ];
    const inputs = shapes.map((shape, index) => Float64Array.from(randomValues(index + 1, shape)));
    const attrs = matmulAttrs(shapes.slice(0, 4), { form, scale: 0.5, secondScale: -2, hasBias: true });
    const product = new Float64Array(rows * columns);
    matmulOp.cpu(inputs, [product], shapes, attrs);
    for (let index = 0; index < product.length; index++) {
      const [row, column] = [Math.floor(index / columns), index % columns];
      const first = entry(form, inputs.slice(0, 2), [rows, columns, inner, row, column]);
      const second = entry(form, inputs.slice(2, 4), [rows, columns, rank, row, column]);
      expect(product[index]).toBeCloseTo(0.5 * first - 2 * second + inputs[4]![column]!, 10);
    }
  });

  it("has the gradients of all inputs", async () => {
    const shapes = [...operandShapes(form, 5, 6, 4), ...operandShapes(form, 5, 6, 2), [6]];
    const inputs = shapes.map((shape, index) => ({ values: randomValues(index + 7, shape), shape }));
    const attrs = matmulAttrs(shapes.slice(0, 4), { form, scale: 1.5, secondScale: -0.5, hasBias: true });
    await checkGradient(matmulOp, { inputs, attrs, wrt: ["a", "b", "c", "d", "bias"] });
  });
});

describe("matmul", () => {
  it("gives the worked example", () => {
    const product = new Float64Array(4);
    const shapes = [
      [2, 2],
      [2, 2],
    ];
    const inputs = [Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, 8)];
    const results = forms.map((form) => {
      product.fill(0);
      matmulOp.cpu(inputs, [product], shapes, matmulAttrs(shapes, { form }));
      return [...product];
    });
    expect(results).toEqual([
      [17, 23, 39, 53],
      [19, 22, 43, 50],
      [26, 30, 38, 44],
    ]);
  });

  it("refuses operands that do not fit and names both numbers", () => {
    const shapes: Shape[] = [
      [2, 3],
      [4, 5],
    ];
    expect(() => matmulAttrs(shapes, { form: "abt" })).toThrow(ShapeError);
    expect(() => matmulAttrs(shapes, { form: "abt" })).toThrow(/3 and 5/);
    const attrs = matmulAttrs([[2, 3], [4, 3]], { form: "abt", hasBias: true }); // prettier-ignore
    expect(() => matmulOp.outputShapes([[2, 3], [4, 3], [5]], attrs)).toThrow(/bias \[5\] for 4 columns/);
  });
});

describe.each(weightLayouts.filter((layout) => layout !== "f32"))("matmul by a weight in %s", (layout) => {
  const bias = 0.5;

  it.each([
    ["abt", 5, 37],
    ["ab", 5, 37],
    ["abt", 8, 64],
    ["ab", 8, 64],
  ] as const)(
    "has the product and gradient of the unpacked weight, %s %i x %i",
    async (form, outputs, inputs) => {
      const rows = 3;
      const [inner, columns] = form === "abt" ? [inputs, outputs] : [outputs, inputs];
      const words = packRows(randomValues(1, [outputs, inputs]), [outputs, inputs], layout);
      const unpacked = Array.from({ length: outputs }, (_, row) => [
        ...unpackRow(words, row, inputs, layout),
      ]).flat();
      const shapes: Shape[] = [[rows, inner], [outputs, wordsPerRow(layout, inputs)], ...operandShapes(form, rows, columns, 2)]; // prettier-ignore
      const attrs = matmulAttrs(shapes, {
        form,
        scale: 1.5,
        secondScale: -1,
        hasBias: true,
        layout,
        packedInputs: inputs,
      });
      const [a, c, d] = [0, 2, 3].map((place) => randomValues(place + 2, shapes[place]!)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const biases = new Float32Array(columns).fill(bias);
      const product = new Float64Array(rows * columns);
      const allShapes = [...shapes, [columns]];
      matmulOp.cpu([a, new Int32Array(words.buffer), c, d, biases], [product], allShapes, attrs);
      const [left, second] = [[a, unpacked], [c, d]].map((pair) => pair.map((each) => Float64Array.from(each))); // prettier-ignore
      product.forEach((value, index) => {
        const place = [Math.floor(index / columns), index % columns];
        const expected =
          1.5 * entry(form, left!, [rows, columns, inner, ...place]) -
          entry(form, second!, [rows, columns, 2, ...place]) +
          bias;
        expect(value).toBeCloseTo(expected, 10);
      });
      const inputsOf = [a, words, c, d, biases].map((values, index) => ({
        values,
        shape: allShapes[index]!,
      }));
      await checkGradient(matmulOp, { inputs: inputsOf, attrs, wrt: ["a", "c", "d", "bias"] });
    },
  );

  it("refuses rows of another size and the form atb", () => {
    const options = { layout, packedInputs: 40 };
    expect(() => matmulAttrs([[2, 40], [4, 39]], { form: "abt", ...options })).toThrow(/rows of \d+ words/); // prettier-ignore
    expect(() => matmulAttrs([[2, 40], [2, 9]], { form: "atb", ...options })).toThrow(/no form atb/); // prettier-ignore
  });
});

describe("columnSum", () => {
  it("adds the rows", () => {
    const total = new Float64Array(3);
    columnSumOp.cpu([Float64Array.of(1, 2, 3, 4, 5, 6)], [total], [[2, 3]], {});
    expect([...total]).toEqual([5, 7, 9]);
  });
});
