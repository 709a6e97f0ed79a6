import type { Floats, Values } from "../../tensor/op.ts";
import { matmulCpu } from "../matmul/matmul.cpu.ts";
import { unpackRow } from "../weightLayout/weightLayout.ts";
import { placed, totalRank } from "./groupLinear.ts";
import type { GroupAttrs } from "./groupLinear.ts";

interface Matrix {
  readonly values: Values;
  readonly rows: number;
  readonly columns: number;
}

const notPacked = { layout: "f32", packedInputs: 0 } as const;

/** The stacked weight as a plain matrix [outputs, inputs]. */
export function plainWeight(weight: Values, { outputs, inputs, layout }: GroupAttrs): Matrix {
  if (layout === "f32") return { values: weight, rows: outputs, columns: inputs };
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) values.set(unpackRow(weight, row, inputs, layout), row * inputs);
  return { values, rows: outputs, columns: inputs };
}

/** Adds left right^T (abt) or left right (ab), times `scale`. */
export function addProduct(
  out: Floats,
  form: "abt" | "ab",
  [left, right]: readonly [Matrix, Matrix],
  scale = 1,
): void {
  const shapes = [left, right].map(({ rows, columns }) => [rows, columns]);
  const attrs = { form, hasSecond: false, hasBias: false, scale, secondScale: 1, ...notPacked };
  matmulCpu([left.values, right.values], [out], shapes, attrs);
}

/** Adds a bias [columns] to every row. */
export function addBias(out: Floats, bias: Values): void {
  for (let index = 0; index < out.length; index++) out[index]! += bias[index % bias.length]!;
}

function slice({ values, rows, columns }: Matrix, first: number, width: number): Matrix {
  const part = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = row * columns + first;
    part.set(values.subarray(from, from + width), row * width);
  }
  return { values: part, rows, columns: width };
}

function addSlice(
  out: Floats,
  columns: number,
  { values, rows, columns: width }: Matrix,
  first: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      out[row * columns + first + column]! += values[row * width + column]!;
    }
  }
}

/** Adds scale xa B^T of every segment to its columns: xa is read from column `xaOffset`. */
export function addUp(
  out: Floats,
  xa: Matrix,
  theta: Values,
  { segments, outputs, offset, scale, xaOffset }: GroupAttrs & { readonly xaOffset: number },
): void {
  for (const { columns, rank, firstColumn, firstRank, firstFactor } of placed(segments)) {
    if (rank === 0) continue;
    const down = slice(xa, xaOffset + firstRank, rank);
    const from = offset + firstFactor;
    const up = { values: theta.subarray(from, from + columns * rank), rows: columns, columns: rank };
    const addition = new Float64Array(xa.rows * columns);
    addProduct(addition, "abt", [down, up], scale);
    addSlice(out, outputs, { values: addition, rows: xa.rows, columns }, firstColumn);
  }
}

/** Adds scale dy B of every segment to its columns of dxa [rows, R]. */
export function addUpGradient(
  dxa: Floats,
  dy: Matrix,
  theta: Values,
  { segments, offset, scale }: GroupAttrs,
): void {
  for (const { columns, rank, firstColumn, firstRank, firstFactor } of placed(segments)) {
    if (rank === 0) continue;
    const part = slice(dy, firstColumn, columns);
    const from = offset + firstFactor;
    const up = { values: theta.subarray(from, from + columns * rank), rows: columns, columns: rank };
    const gradient = new Float64Array(dy.rows * rank);
    addProduct(gradient, "ab", [part, up], scale);
    addSlice(dxa, totalRank(segments), { values: gradient, rows: dy.rows, columns: rank }, firstRank);
  }
}
