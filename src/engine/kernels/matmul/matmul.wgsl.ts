import { weightReaderWgsl } from "../weightLayout/weightReader.wgsl.ts";
import type { WeightReader } from "../weightLayout/weightReader.wgsl.ts";

/** The three orders in which a product reads its operands; see `matmul.ts` for the shapes. */
export type MatmulForm = "abt" | "ab" | "atb";

/** What changes the text of the matmul shader. */
export interface MatmulVariant {
  readonly form: MatmulForm;
  readonly hasSecond: boolean;
  readonly hasBias: boolean;
  /** The operands of the first product are bound as `vec4<f32>`. */
  readonly isVector: boolean;
  /** The operands of the second product are bound as `vec4<f32>`. */
  readonly isSecondVector: boolean;
  /** The output is bound as `vec4<f32>`. */
  readonly isOutputVector: boolean;
  /** How the right operand of the first product is read when it is packed; `abt` and `ab` only. */
  readonly packed?: WeightReader | undefined;
  /** Output rows of one invocation: 1, 2 or 4, or 8 when the inner axis is not split. */
  readonly tileRows: number;
  /** Invocations that share the inner axis of one tile; 1, or at least 4. */
  readonly split: number;
}

/** Edge of the square workgroup that is used when the inner axis is not split. */
export const workgroupEdge = 8;

/** Invocations of a workgroup when the inner axis is split. */
export const splitWorkgroup = 64;

interface Product {
  readonly form: MatmulForm;
  readonly isVector: boolean;
  readonly left: string;
  readonly right: string;
  readonly inner: string;
  /** The right operand is read by `weightQuad`. */
  readonly isPacked: boolean;
  /** Factor on every value of the left operand, as text that ends the expression. */
  readonly factor: string;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const quadOf = (element: (index: number) => string): string =>
  `vec4<f32>(${range(4).map(element).join(", ")})`;

function vectorBody({ form, left, right, isPacked, factor }: Product, tileRows: number): string {
  if (form === "abt") {
    return [
      ...range(4).map(
        (j) => `    let v${j} = ${isPacked ? `weightQuad(column${j}, k)` : `${right}[right${j} + k]`};`,
      ),
      ...range(tileRows).map((i) => `    let u${i} = ${left}[left${i} + k]${factor};`),
      ...range(tileRows).map((i) => `    sum${i} += ${quadOf((j) => `dot(u${i}, v${j})`)};`),
    ].join("\n");
  }
  if (form === "ab") {
    return [
      "    let below = 4u * k;",
      ...range(4).map(
        (j) =>
          `    let v${j} = ${isPacked ? `weightQuad(below + ${j}u, quad)` : `${right}[(below + ${j}u) * quads + quad]`};`,
      ),
      ...range(tileRows).map((i) => `    let u${i} = ${left}[left${i} + k]${factor};`),
      ...range(tileRows).map(
        (i) => `    sum${i} += u${i}.x * v0 + u${i}.y * v1 + u${i}.z * v2 + u${i}.w * v3;`,
      ),
    ].join("\n");
  }
  return [
    `    let v = ${right}[k * quads + quad];`,
    `    let u = ${left}[k * (uniforms.rows / 4u) + row / 4u]${factor};`,
    ...range(4).map((i) => `    sum${i} += u[${i}] * v;`),
  ].join("\n");
}

function scalarBody({ form, left, right, isPacked, factor }: Product, tileRows: number): string {
  const leftAt = (i: number): string =>
    form === "atb" ? `${left}[k * uniforms.rows + row${i}]` : `${left}[row${i} * steps + k]`;
  const rightAt = (j: number): string => {
    if (isPacked) return `weightQuad(column${j}, k / 4u)[k % 4u]`;
    return form === "abt"
      ? `${right}[column${j} * steps + k]`
      : `${right}[k * uniforms.columns + column${j}]`;
  };
  return [
    `    let v = ${isPacked && form === "ab" ? "weightQuad(k, column / 4u)" : quadOf(rightAt)};`,
    ...range(tileRows).map((i) => `    sum${i} += ${leftAt(i)}${factor} * v;`),
  ].join("\n");
}

function productLoop(product: Product, { tileRows, split }: MatmulVariant): string {
  const stepsOfFour = product.isVector && product.form !== "atb";
  const body = product.isVector ? vectorBody(product, tileRows) : scalarBody(product, tileRows);
  return `  {
  let steps = uniforms.${product.inner}${stepsOfFour ? " / 4u" : ""};
${
  product.form === "atb"
    ? ""
    : range(tileRows)
        .map((i) => `  let left${i} = row${i} * steps;`)
        .join("\n")
}
${
  product.form === "abt" && !product.isPacked
    ? range(4)
        .map((i) => `  let right${i} = column${i} * steps;`)
        .join("\n")
    : ""
}
  for (var k = ${split > 1 ? "lane" : "0u"}; k < steps; k += ${split}u) {
${body}
  }
  }`;
}

/** Statements that leave scale * first + secondScale * second of a tile (or of a lane's share) in `sum0..`. */
function tileSums(variant: MatmulVariant): string {
  const { form, tileRows, hasSecond, isVector, isSecondVector, packed } = variant;
  const rows = range(tileRows);
  const usesQuads = form !== "abt" && (isVector || (hasSecond && isSecondVector));
  const usesColumns = form === "abt" || !isVector || (hasSecond && !isSecondVector);
  const usesRows = form !== "atb" || !isVector || (hasSecond && !isSecondVector);
  const first: Product = {
    form,
    isVector,
    left: "a",
    right: "b",
    inner: "inner",
    isPacked: packed !== undefined,
    factor: "",
  };
  const second: Product = {
    form,
    isVector: isSecondVector,
    left: "c",
    right: "d",
    inner: "secondInner",
    isPacked: false,
    factor: " * uniforms.secondScale",
  };
  return [
    ...(usesRows ? rows.map((i) => `  let row${i} = min(row + ${i}u, uniforms.rows - 1u);`) : []),
    ...(usesColumns
      ? range(4).map((j) => `  let column${j} = min(column + ${j}u, uniforms.columns - 1u);`)
      : []),
    ...(usesQuads ? ["  let quads = uniforms.columns / 4u;", "  let quad = column / 4u;"] : []),
    ...rows.map((i) => `  var sum${i} = vec4<f32>();`),
    productLoop(first, variant),
    ...rows.map((i) => `  sum${i} *= uniforms.scale;`),
    hasSecond ? productLoop(second, variant) : "",
  ].join("\n");
}

/** A function that adds the bias to four neighbouring columns of one row and stores them. */
function storeFunction({ hasBias, isOutputVector }: MatmulVariant): string {
  const bias = quadOf((j) => `bias[min(column + ${j}u, uniforms.columns - 1u)]`);
  const store = isOutputVector
    ? "  product[(row * uniforms.columns + column) / 4u] = value;"
    : range(4)
        .map(
          (j) =>
            `  if (column + ${j}u < uniforms.columns) { product[row * uniforms.columns + column + ${j}u] = value[${j}]; }`,
        )
        .join("\n");
  return `fn store(row: u32, column: u32, sum: vec4<f32>) {
  if (row >= uniforms.rows) { return; }
  let value = sum${hasBias ? ` + ${bias}` : ""};
${store}
}`;
}

function plainMain(variant: MatmulVariant): string {
  return `@compute @workgroup_size(${workgroupEdge}, ${workgroupEdge})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y * ${variant.tileRows}u;
  let column = id.x * 4u;
  if (row >= uniforms.rows || column >= uniforms.columns) { return; }
${tileSums(variant)}
${range(variant.tileRows)
  .map((i) => `  store(row + ${i}u, column, sum${i});`)
  .join("\n")}
}`;
}

function splitMain(variant: MatmulVariant): string {
  const { tileRows, split, form } = variant;
  const tilesPerGroup = splitWorkgroup / split;
  // Neighbouring invocations read neighbouring values: along the inner axis for abt, along the columns else.
  const [lane, slot] =
    form === "abt"
      ? [`local % ${split}u`, `local / ${split}u`]
      : [`local / ${tilesPerGroup}u`, `local % ${tilesPerGroup}u`];
  return `var<workgroup> partial: array<vec4<f32>, ${splitWorkgroup * tileRows}>;

@compute @workgroup_size(${splitWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let lane = ${lane};
  let slot = ${slot};
  let tileColumns = (uniforms.columns + 3u) / 4u;
  let tiles = (uniforms.rows + ${tileRows - 1}u) / ${tileRows}u * tileColumns;
  let wanted = (group.x + group.y * 65535u) * ${tilesPerGroup}u + slot;
  let tile = min(wanted, tiles - 1u);
  let row = tile / tileColumns * ${tileRows}u;
  let column = tile % tileColumns * 4u;
${tileSums(variant)}
${range(tileRows)
  .map((i) => `  partial[(slot * ${split}u + lane) * ${tileRows}u + ${i}u] = sum${i};`)
  .join("\n")}
  workgroupBarrier();
  if (lane < ${tileRows}u && wanted < tiles) {
    var total = vec4<f32>();
    for (var other = 0u; other < ${split}u; other++) {
      total += partial[(slot * ${split}u + other) * ${tileRows}u + lane];
    }
    store(row + lane, column, total);
  }
}`;
}

/**
 * Shader of a product with 4 columns by 1, 2 or 4 rows per invocation, kept in registers. Tiles that are too
 * few to fill a device share the inner axis between `split` invocations, which then add up in a fixed order.
 */
export function matmulWgsl(variant: MatmulVariant): string {
  const { packed, form } = variant;
  const inputs = form === "abt" ? "uniforms.inner" : "uniforms.columns";
  return `${packed === undefined ? "" : weightReaderWgsl({ ...packed, inputs })}
${storeFunction(variant)}

${variant.split > 1 ? splitMain(variant) : plainMain(variant)}`;
}
