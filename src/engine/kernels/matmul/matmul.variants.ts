import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import { columnSumOp } from "./columnSum.ts";
import { matmulAttrs, matmulOp } from "./matmul.ts";

const plain = everyChoice({
  form: ["ab", "abt", "atb"] as const,
  canSplit: [true, false],
  hasBias: [true, false],
  hasSecond: [true, false],
  size: [48, 37],
  rows: [1, 300],
});
const packed = everyChoice({
  form: ["ab", "abt"] as const,
  canSplit: [true, false],
  layout: weightLayouts,
  isNativeHalf: [true, false],
  packedInputs: [96, 90],
  rows: [1, 300],
});

/** Texts to compile. */
export const variants = [
  ...plain.map(({ form, canSplit, hasBias, hasSecond, size, rows }) => {
    const columns = form === "atb" ? 64 : size;
    const pair = (inner: number) => [
      form === "atb" ? [inner, rows] : [rows, inner],
      form === "abt" ? [columns, inner] : [inner, columns],
    ];
    const products = [...pair(2 * size), ...(hasSecond ? pair(8) : [])];
    const attrs = matmulAttrs(products, { form, canSplit, hasBias });
    return variant(matmulOp, [...products, ...(hasBias ? [[columns]] : [])], attrs);
  }),
  ...packed.map(({ rows, ...options }) => {
    const { form, layout, packedInputs } = options;
    const shapes = [
      [rows, form === "abt" ? packedInputs : 64],
      [64, wordsPerRow(layout, packedInputs)],
    ];
    return variant(matmulOp, shapes, matmulAttrs(shapes, options));
  }),
  variant(columnSumOp, [[5, 7]], {}),
];
