/** Text that the shaders of this folder share: reading rows four values at a time, tiles of outputs, the grid. */

import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightReaderWgsl } from "../weightLayout/weightReader.wgsl.ts";

/** The stacked weight as a shader sees it. */
export interface StackedWeight {
  readonly inputs: number;
  readonly outputs: number;
  readonly layout: WeightLayout;
  readonly isNativeHalf: boolean;
}

/** How a shader divides its work. */
export interface Tiling {
  /** Output rows of one invocation. */
  readonly tileRows: number;
  /** Invocations that share the inner axis of one tile; 1, or at least as many as `tileRows`. */
  readonly split: number;
}

/** Edge of the square workgroup that is used when the inner axis is not split. */
export const workgroupEdge = 8;

/** Invocations of a workgroup when the inner axis is split. */
export const splitWorkgroup = 64;

/** The numbers from 0 up to `count`. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A vector of four expressions. */
export const quadOf = (element: (index: number) => string): string =>
  `vec4<f32>(${range(4).map(element).join(", ")})`;

/** How four neighbouring values of a row are read. */
export interface RowReader {
  /** Functions that the expressions call. */
  readonly functions: string;
  /** Where a row starts, as an expression of its number. */
  readonly start: (row: string) => string;
  /** The four values from column 4 `quad` on, 0 beyond the row. */
  readonly quad: (start: string, quad: string) => string;
}

/** Reads rows of `width` float32 values, bound as `vec4<f32>` when the width allows it. */
export function rowReader(array: string, width: number): RowReader {
  if (width % 4 !== 0) return scalarReader(array, width, "");
  return {
    functions: "",
    start: (row) => `${row} * ${width / 4}u`,
    quad: (start, quad) => `${array}[${start} + ${quad}]`,
  };
}

/** Reads the rows of the stacked weight. */
export function weightReader({ inputs, layout, isNativeHalf }: StackedWeight): RowReader {
  if (layout === "f32") return rowReader("weight", inputs);
  const reader = { name: "weight", layout, hasWholeQuads: inputs % 4 === 0, isNativeHalf, inputs };
  return {
    functions: weightReaderWgsl(reader),
    start: (row) => row,
    quad: (row, quad) => `weightQuad(${row}, ${quad})`,
  };
}

/** Reads rows of `width` values that are bound one by one and start at element `offset`. */
export function scalarReader(array: string, width: number, offset: string): RowReader {
  const value = (j: number): string => {
    const read = `${array}[first + ${j}u]`;
    // What lies beyond the row may be anything, even the NaN of another tensor's old contents.
    return width % 4 === 0 || j === 0 ? read : `select(0.0, ${read}, 4u * quad + ${j}u < ${width}u)`;
  };
  return {
    functions: `fn ${array}Quad(start: u32, quad: u32) -> vec4<f32> {
  let first = start + 4u * quad;
  return ${quadOf(value)};
}`,
    start: (row) => `${offset === "" ? "" : `${offset} + `}${row} * ${width}u`,
    quad: (start, quad) => `${array}Quad(${start}, ${quad})`,
  };
}

/** Statement that stores `value` at columns `column` to `column + 3` of a row of `width` values. */
export function storeQuad(array: string, width: number, column: string, value: string): string {
  if (width % 4 === 0) return `${array}[(row * ${width}u + ${column}) / 4u] = ${value};`;
  const store = (j: number): string =>
    `if (${column} + ${j}u < ${width}u) { ${array}[row * ${width}u + ${column} + ${j}u] = ${value}[${j}]; }`;
  return range(4).map(store).join("\n  ");
}

/** A shader whose invocations own `tileRows` rows by `products` times four columns. */
export interface TileShader extends Tiling {
  /** Tiles side by side in one band of rows. */
  readonly tileColumns: number;
  /** Quads of sums per row: `sum0_i`, `sum1_i`. */
  readonly products: 1 | 2;
  /** Whether neighbouring invocations that share a tile read neighbouring values. */
  readonly sharesNeighbours: boolean;
  /** Functions, among them `store(row, tile, sum0, ...)`. */
  readonly functions: readonly string[];
  /** Statements that add to the sums, from `tile`, `row0...` and, where the inner axis is split, `lane`. */
  readonly sums: string;
}

/** The loop of this invocation's share of `steps`. */
export function shareLoop(steps: string, split: number, body: string): string {
  return `for (var k = ${split > 1 ? "lane" : "0u"}; k < ${steps}; k += ${split}u) {
${body}
}`;
}

/** The complete text of a tile shader. */
export function tileWgsl(shader: TileShader): string {
  const main = shader.split > 1 ? splitMain(shader) : plainMain(shader);
  return [...shader.functions.filter((text) => text !== ""), main].join("\n\n");
}

function declarations({ tileRows, products }: TileShader): string {
  return [
    ...range(tileRows).map((i) => `  let row${i} = min(row + ${i}u, uniforms.rows - 1u);`),
    ...range(tileRows).flatMap((i) => range(products).map((p) => `  var sum${p}_${i} = vec4<f32>();`)),
  ].join("\n");
}

function plainMain(shader: TileShader): string {
  const { tileRows, tileColumns, products, sums } = shader;
  const store = (i: number): string =>
    `  if (row + ${i}u < uniforms.rows) { store(row + ${i}u, tile, ${range(products)
      .map((p) => `sum${p}_${i}`)
      .join(", ")}); }`;
  return `@compute @workgroup_size(${workgroupEdge}, ${workgroupEdge})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y * ${tileRows}u;
  let tile = id.x;
  if (row >= uniforms.rows || tile >= ${tileColumns}u) { return; }
${declarations(shader)}
${sums}
${range(tileRows).map(store).join("\n")}
}`;
}

function splitMain(shader: TileShader): string {
  const { tileRows, split, tileColumns, products, sums, sharesNeighbours } = shader;
  const tilesPerGroup = splitWorkgroup / split;
  const [lane, slot] = sharesNeighbours
    ? [`local % ${split}u`, `local / ${split}u`]
    : [`local / ${tilesPerGroup}u`, `local % ${tilesPerGroup}u`];
  const perTile = tileRows * products;
  const keep = (i: number): string[] =>
    range(products).map(
      (p) => `  partial[(slot * ${split}u + lane) * ${perTile}u + ${i * products + p}u] = sum${p}_${i};`,
    );
  return `var<workgroup> partial: array<vec4<f32>, ${splitWorkgroup * perTile}>;

@compute @workgroup_size(${splitWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let lane = ${lane};
  let slot = ${slot};
  let tiles = (uniforms.rows + ${tileRows - 1}u) / ${tileRows}u * ${tileColumns}u;
  let wanted = (group.x + group.y * 65535u) * ${tilesPerGroup}u + slot;
  let placed = min(wanted, tiles - 1u);
  let row = placed / ${tileColumns}u * ${tileRows}u;
  let tile = placed % ${tileColumns}u;
${declarations(shader)}
${sums}
${range(tileRows).flatMap(keep).join("\n")}
  workgroupBarrier();
  if (lane < ${tileRows}u && wanted < tiles && row + lane < uniforms.rows) {
${range(products)
  .map((p) => `    var total${p} = vec4<f32>();`)
  .join("\n")}
    for (var other = 0u; other < ${split}u; other++) {
      let begin = (slot * ${split}u + other) * ${perTile}u + lane * ${products}u;
${range(products)
  .map((p) => `      total${p} += partial[begin + ${p}u];`)
  .join("\n")}
    }
    store(row + lane, tile, ${range(products)
      .map((p) => `total${p}`)
      .join(", ")});
  }
}`;
}
