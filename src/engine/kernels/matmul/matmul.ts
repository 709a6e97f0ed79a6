import type { Binding, Dispatch, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { hasNativeHalf, isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { isPackedWeight } from "../weightLayout/packedWeight.ts";
import type { PackedWeight, WholeWeight } from "../weightLayout/packedWeight.ts";
import { wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightBinding } from "../weightLayout/weightReader.wgsl.ts";
import type { WeightReader } from "../weightLayout/weightReader.wgsl.ts";
import { columnSum } from "./columnSum.ts";
import { matmulCpu } from "./matmul.cpu.ts";
import { splitOf, tileRowsOf } from "./matmulTiling.ts";
import { matmulWgsl, splitWorkgroup, workgroupEdge } from "./matmul.wgsl.ts";
import type { MatmulForm } from "./matmul.wgsl.ts";

/** Attributes of the matmul op; `matmulAttrs` fills in those that follow from the shapes. */
export interface MatmulAttrs {
  readonly form: MatmulForm;
  readonly hasSecond: boolean;
  readonly hasBias: boolean;
  readonly scale: number;
  readonly secondScale: number;
  /** The operands of the first product are read four values at a time. */
  readonly isVector: boolean;
  /** The operands of the second product are read four values at a time. */
  readonly isSecondVector: boolean;
  /** The output is written four values at a time. */
  readonly isOutputVector: boolean;
  /**
   * Small outputs of long sums are computed by several invocations each. A GPU needs it to be busy; on a
   * software GPU the barrier makes it 2 to 10 times slower.
   */
  readonly canSplit: boolean;
  /** Layout of b. In all but `f32` it is frozen: it takes no gradient, and has no form `atb`. */
  readonly layout: WeightLayout;
  /** Values of a row of b when it is packed, else 0. */
  readonly packedInputs: number;
  /** Shaders may use 16-bit floats. */
  readonly isNativeHalf: boolean;
}

/** How b lies in memory. */
type Packing = Pick<MatmulAttrs, "layout" | "packedInputs" | "isNativeHalf">;

const plainPacking: Packing = { layout: "f32", packedInputs: 0, isNativeHalf: false };

/** What `matmul` adds to the plain product. */
export interface MatmulOptions {
  readonly form: MatmulForm;
  /** Factor on the first product; 1 when left out. */
  readonly scale?: number;
  /** A second product of the same form and output shape, with its own inner size. */
  readonly second?: { readonly a: Tensor; readonly b: Tensor; readonly scale?: number };
  /** Added to every row: [columns]. */
  readonly bias?: Tensor;
}

interface Sizes {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

function sizesOf(form: MatmulForm, left: Shape, right: Shape): Sizes {
  const [leftRows, leftColumns] = left;
  const [rightRows, rightColumns] = right;
  if (
    leftRows === undefined ||
    leftColumns === undefined ||
    rightRows === undefined ||
    rightColumns === undefined ||
    left.length !== 2 ||
    right.length !== 2
  ) {
    throw new ShapeError(`matmul needs two matrices, got [${left.join(", ")}] and [${right.join(", ")}]`);
  }
  const [rows, leftInner] = form === "atb" ? [leftColumns, leftRows] : [leftRows, leftColumns];
  const [columns, rightInner] = form === "abt" ? [rightRows, rightColumns] : [rightColumns, rightRows];
  if (leftInner !== rightInner) {
    throw new ShapeError(`matmul ${form}: inner sizes ${leftInner} and ${rightInner} differ`);
  }
  return { rows, columns, inner: leftInner };
}

/** Shape of the values of b: its own, or that of the matrix which is packed in it. */
function valuesShape(form: MatmulForm, b: Shape, { layout, packedInputs }: Packing): Shape {
  if (layout === "f32") return b;
  if (form === "atb") throw new ShapeError(`matmul: a weight in ${layout} has no form atb`);
  const words = wordsPerRow(layout, packedInputs);
  if (b.length !== 2 || b[1] !== words) {
    throw new ShapeError(
      `matmul: a weight in ${layout} with ${packedInputs} inputs has rows of ${words} words, not [${b.join(", ")}]`,
    );
  }
  return [b[0]!, packedInputs];
}

function readerOf({ form, layout, packedInputs, isNativeHalf }: MatmulAttrs): WeightReader | undefined {
  if (layout === "f32" || form === "atb") return undefined;
  return { name: "b", layout, hasWholeQuads: packedInputs % 4 === 0, isNativeHalf };
}

function canBeVector(form: MatmulForm, { rows, columns, inner }: Sizes): boolean {
  if (form === "abt") return inner % 4 === 0;
  return columns % 4 === 0 && (form === "ab" ? inner : rows) % 4 === 0;
}

/** Completes the attributes of a matmul from the shapes of its operands (a, b, then c, d if there are any). */
export function matmulAttrs(
  shapes: readonly Shape[],
  options: Pick<MatmulAttrs, "form"> &
    Partial<Pick<MatmulAttrs, "scale" | "secondScale" | "hasBias" | "canSplit" | keyof Packing>>,
): MatmulAttrs {
  const [a, b, c, d] = shapes;
  const { form, scale = 1, secondScale = 1, hasBias = false, canSplit = true } = options;
  const packing = {
    layout: options.layout ?? plainPacking.layout,
    packedInputs: options.packedInputs ?? plainPacking.packedInputs,
    isNativeHalf: options.isNativeHalf ?? plainPacking.isNativeHalf,
  };
  const sizes = sizesOf(form, a ?? [], valuesShape(form, b ?? [], packing));
  const hasSecond = c !== undefined && d !== undefined;
  return {
    form,
    hasSecond,
    hasBias,
    scale,
    secondScale,
    isVector: canBeVector(form, sizes),
    isSecondVector: hasSecond && canBeVector(form, sizesOf(form, c, d)),
    isOutputVector: sizes.columns % 4 === 0,
    canSplit,
    ...packing,
  };
}

function inputs(attrs: MatmulAttrs): readonly Binding[] {
  const { hasSecond, hasBias, isVector, isSecondVector } = attrs;
  const packed = readerOf(attrs);
  const type = isVector ? "vec4<f32>" : "f32";
  const secondType = isSecondVector ? "vec4<f32>" : "f32";
  const names: Binding[] = [
    { name: "a", type },
    packed === undefined ? { name: "b", type } : weightBinding(packed),
  ];
  if (hasSecond) names.push({ name: "c", type: secondType }, { name: "d", type: secondType });
  if (hasBias) names.push({ name: "bias", type: "f32" });
  return names;
}

function outputShapes(shapes: readonly Shape[], attrs: MatmulAttrs): readonly Shape[] {
  const first = sizesOf(attrs.form, shapes[0] ?? [], valuesShape(attrs.form, shapes[1] ?? [], attrs));
  if (attrs.hasSecond) {
    const second = sizesOf(attrs.form, shapes[2] ?? [], shapes[3] ?? []);
    if (second.rows !== first.rows || second.columns !== first.columns) {
      throw new ShapeError(
        `matmul: products [${first.rows}, ${first.columns}] and [${second.rows}, ${second.columns}] differ`,
      );
    }
  }
  const bias = attrs.hasBias ? shapes[attrs.hasSecond ? 4 : 2] : [first.columns];
  if (bias?.length !== 1 || bias[0] !== first.columns) {
    throw new ShapeError(`matmul: bias [${bias?.join(", ")}] for ${first.columns} columns`);
  }
  return [[first.rows, first.columns]];
}

function dispatch(shapes: readonly Shape[], attrs: MatmulAttrs): Dispatch {
  const b = valuesShape(attrs.form, shapes[1] ?? [], attrs);
  const { rows, columns, inner } = sizesOf(attrs.form, shapes[0] ?? [], b);
  const secondInner = attrs.hasSecond ? sizesOf(attrs.form, shapes[2] ?? [], shapes[3] ?? []).inner : 0;
  const isPacked = readerOf(attrs) !== undefined;
  const tileColumns = Math.ceil(columns / 4);
  const tileRows = tileRowsOf({ rows, tileColumns, isPacked, canSplit: attrs.canSplit });
  const tiles = Math.ceil(rows / tileRows) * tileColumns;
  const steps = attrs.isVector && attrs.form !== "atb" ? inner / 4 : inner;
  const split = attrs.canSplit && tileRows <= 4 ? splitOf(tiles, steps) : 1;
  return {
    wgsl: matmulWgsl({ ...attrs, packed: readerOf(attrs), tileRows, split }),
    uniforms: { rows, columns, inner, secondInner, scale: attrs.scale, secondScale: attrs.secondScale },
    workgroups:
      split > 1
        ? foldedGrid(Math.ceil((tiles * split) / splitWorkgroup))
        : [Math.ceil(tileColumns / workgroupEdge), Math.ceil(rows / (tileRows * workgroupEdge)), 1],
  };
}

/** Gradients of one product with respect to its operands, as products of the other forms. */
function productGradients(
  form: MatmulForm,
  { a, b, dy, scale }: { a: Tensor; b: Tensor; dy: Tensor; scale: number },
): { da: () => Tensor; db: () => Tensor } {
  switch (form) {
    case "abt":
      return {
        da: () => matmul(dy, b, { form: "ab", scale }),
        db: () => matmul(dy, a, { form: "atb", scale }),
      };
    case "ab":
      return {
        da: () => matmul(dy, b, { form: "abt", scale }),
        db: () => matmul(a, dy, { form: "atb", scale }),
      };
    case "atb":
      return {
        da: () => matmul(b, dy, { form: "abt", scale }),
        db: () => matmul(a, dy, { form: "ab", scale }),
      };
  }
}

function gradient(
  dys: readonly Tensor[],
  saved: readonly Tensor[],
  _outputs: readonly Tensor[],
  attrs: MatmulAttrs,
): Readonly<Record<string, () => Tensor>> {
  const [dy] = dys as readonly [Tensor];
  const [a, b, c, d] = saved as readonly [Tensor, Tensor, Tensor, Tensor];
  const { form } = attrs;
  const closures: Record<string, () => Tensor> = {};
  if (attrs.layout === "f32") {
    const first = productGradients(form, { a, b, dy, scale: attrs.scale });
    closures["a"] = first.da;
    closures["b"] = first.db;
  } else {
    // Frozen: there is a gradient for a alone.
    const weight = { words: b, layout: attrs.layout, outputs: b.shape[0], inputs: attrs.packedInputs };
    closures["a"] = () => matmul(dy, weight, { form: form === "abt" ? "ab" : "abt", scale: attrs.scale });
  }
  if (attrs.hasSecond) {
    const second = productGradients(form, { a: c, b: d, dy, scale: attrs.secondScale });
    closures["c"] = second.da;
    closures["d"] = second.db;
  }
  if (attrs.hasBias) closures["bias"] = () => columnSum(dy);
  return closures;
}

/**
 * product = scale * form(a, b) + secondScale * form(c, d) + bias[columns].
 * b may be packed, and is then frozen.
 * abt: a [N, K], b [M, K] -> [N, M]. ab: a [N, M], b [M, K] -> [N, K]. atb: a [N, M], b [N, K] -> [M, K].
 */
export const matmulOp: Op<MatmulAttrs> = {
  name: "matmul",
  inputs,
  outputs: ({ isOutputVector }) => [{ name: "product", type: isOutputVector ? "vec4<f32>" : "f32" }],
  uniforms: {
    rows: "u32",
    columns: "u32",
    inner: "u32",
    secondInner: "u32",
    scale: "f32",
    secondScale: "f32",
  },
  outputShapes,
  dispatch,
  cpu: matmulCpu,
  gradient,
};

function packingOf(weight: PackedWeight): Packing {
  // A weight of layout f32 is what it would be unpacked.
  if (weight.layout === "f32") return plainPacking;
  return { layout: weight.layout, packedInputs: weight.inputs, isNativeHalf: hasNativeHalf() };
}

/**
 * Product of two matrices in one of the three forms; throws `ShapeError` when the sizes do not fit. A packed b is
 * frozen and has no form `atb`.
 */
export function matmul(a: Tensor, b: WholeWeight, options: MatmulOptions): Tensor {
  const { form, scale = 1, second, bias } = options;
  const [right, packing] = isPackedWeight(b) ? [b.words, packingOf(b)] : [b, plainPacking];
  const operands = second === undefined ? [a, right] : [a, right, second.a, second.b];
  const attrs = matmulAttrs(
    operands.map((operand) => operand.shape),
    {
      form,
      scale,
      secondScale: second?.scale ?? 1,
      hasBias: bias !== undefined,
      canSplit: !isSoftwareGpu(),
      ...packing,
    },
  );
  const [product] = run(matmulOp, bias === undefined ? operands : [...operands, bias], attrs);
  return product!;
}
