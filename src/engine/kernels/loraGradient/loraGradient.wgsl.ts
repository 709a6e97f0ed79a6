import { placed, totalRank } from "../groupLinear/groupLinear.ts";
import type { Segment } from "../groupLinear/groupLinear.ts";

/** What changes the text of the shader. */
export interface LoraGradientVariant {
  readonly segments: readonly Segment[];
  /** Columns of x, of dy, and of the rows that hold xa from `xaOffset` on. */
  readonly width: number;
  readonly columns: number;
  readonly xaColumns: number;
  readonly xaOffset: number;
  /** x, and dy with all its segments, are read four columns at a time. */
  readonly isWidthVector: boolean;
  readonly isColumnsVector: boolean;
  /** Low-rank columns of one invocation. */
  readonly tileRanks: number;
  /** Invocations that share the rows of one tile; 1 needs no barrier. */
  readonly split: number;
}

/** One of the products: its tiles cover `columns` wide columns and `ranks` low-rank ones. */
interface Part {
  /** WGSL statements that set the fields of `tile` from its number `n` within the part. */
  readonly fields: string;
  readonly tiles: number;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Invocations of a workgroup: 8 neighbouring tiles by the lanes that share them, or tiles only. */
export function workgroupOf(split: number): number {
  return split === 1 ? 64 : 8 * split;
}

function partsOf({ segments, width, tileRanks, xaOffset }: LoraGradientVariant): Part[] {
  const part = (columns: number, ranks: number, fields: (wide: number) => string[]): Part => {
    const wide = Math.ceil(columns / 4);
    return {
      tiles: wide * Math.ceil(ranks / tileRanks),
      fields: fields(wide)
        .map((field) => `    tile.${field};`)
        .join("\n"),
    };
  };
  const ranks = totalRank(segments);
  const down = part(width, ranks, (wide) => [
    "isDown = true",
    `wide = n % ${wide}u * 4u`,
    `skinny = n / ${wide}u * ${tileRanks}u`,
    `wideEnd = ${width}u`,
    `skinnyEnd = ${ranks}u`,
    "wideStride = 1u",
    `skinnyStride = ${width}u`,
    "place = uniforms.aOffset + tile.wide + tile.skinny * tile.skinnyStride",
  ]);
  const ups = placed(segments)
    .filter(({ rank }) => rank > 0)
    .map(({ columns, rank, firstColumn, firstRank, firstFactor }) =>
      part(columns, rank, (wide) => [
        "isDown = false",
        `wide = ${firstColumn}u + n % ${wide}u * 4u`,
        `skinny = ${xaOffset + firstRank}u + n / ${wide}u * ${tileRanks}u`,
        `wideEnd = ${firstColumn + columns}u`,
        `skinnyEnd = ${xaOffset + firstRank + rank}u`,
        `wideStride = ${rank}u`,
        "skinnyStride = 1u",
        `place = uniforms.bOffset + ${firstFactor}u + n % ${wide}u * ${4 * rank}u + n / ${wide}u * ${tileRanks}u`,
      ]),
    );
  return [down, ...ups];
}

/** Number of tiles of all products. */
export function tilesOf(variant: LoraGradientVariant): number {
  return partsOf(variant).reduce((sum, { tiles }) => sum + tiles, 0);
}

/** Text of `findTile(number)`: which columns of which product a tile covers, and where its first element goes. */
function tileFunction(variant: LoraGradientVariant): string {
  let first = 0;
  const branches = partsOf(variant).map(({ fields, tiles }) => {
    const text = `if (number < ${first + tiles}u) {
    let n = number - ${first}u;
${fields}
  }`;
    first += tiles;
    return text;
  });
  return `struct Tile {
  isDown: bool,
  wide: u32,
  skinny: u32,
  wideEnd: u32,
  skinnyEnd: u32,
  wideStride: u32,
  skinnyStride: u32,
  place: u32,
}

var<private> tile: Tile;

fn findTile(number: u32) {
  ${branches.join(" else ")}
}`;
}

/** Text of the loop over rows of one product. */
function rowLoop(
  { tileRanks, split }: LoraGradientVariant,
  operand: { wide: string; columns: number; isVector: boolean; skinny: string; skinnyColumns: number },
): string {
  const { wide, columns, isVector, skinny, skinnyColumns } = operand;
  const value = isVector
    ? `${wide}[row * ${columns / 4}u + tile.wide / 4u]`
    : `vec4<f32>(${range(4)
        .map((c) => `${wide}[row * ${columns}u + min(tile.wide + ${c}u, ${columns - 1}u)]`)
        .join(", ")})`;
  return `    for (var row = lane; row < uniforms.rows; row += ${split}u) {
      let value = ${value};
      let start = row * ${skinnyColumns}u;
${range(tileRanks)
  .map((j) => `      sum${j} += ${skinny}[start + skinny${j}] * value;`)
  .join("\n")}
    }`;
}

const storeText = `
fn store(j: u32, sum: vec4<f32>) {
  if (tile.skinny + j >= tile.skinnyEnd) { return; }
  let value = select(uniforms.scale, 1.0, tile.isDown) * sum;
  // A loop, because a software GPU takes seconds to compile it written out.
  for (var c = 0u; c < min(4u, tile.wideEnd - tile.wide); c++) {
    let at = tile.place + j * tile.skinnyStride + c * tile.wideStride;
    gtheta[at] = value[c] + select(0.0, gtheta[at], uniforms.accumulates == 1u);
  }
}`;

/**
 * Shader of both factors' gradients: four wide columns (of x or dy) by `tileRanks` low-rank ones (of dxa or xa) per
 * invocation, kept in registers; `split` invocations share the rows and add up in a fixed order.
 */
export function loraGradientWgsl(variant: LoraGradientVariant): string {
  const { segments, width, columns, xaColumns, isWidthVector, isColumnsVector, tileRanks, split } = variant;
  const lanes = workgroupOf(split);
  const slots = lanes / split;
  const ranks = range(tileRanks);
  const down = {
    wide: "x",
    columns: width,
    isVector: isWidthVector,
    skinny: "dxa",
    skinnyColumns: totalRank(segments),
  };
  const up = { wide: "dy", columns, isVector: isColumnsVector, skinny: "xa", skinnyColumns: xaColumns };
  const finish =
    split === 1
      ? `  if (wanted >= tiles) { return; }
${ranks.map((j) => `  store(${j}u, sum${j});`).join("\n")}`
      : `${ranks.map((j) => `  shares[${j * lanes}u + local] = sum${j};`).join("\n")}
  workgroupBarrier();
  if (lane < ${tileRanks}u && wanted < tiles) {
    var total = vec4<f32>();
    for (var other = 0u; other < ${split}u; other++) {
      total += shares[lane * ${lanes}u + other * ${slots}u + slot];
    }
    store(lane, total);
  }`;
  return `${split === 1 ? "" : `var<workgroup> shares: array<vec4<f32>, ${lanes * tileRanks}>;\n`}
const tiles = ${tilesOf(variant)}u;

${tileFunction(variant)}
${storeText}

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  // Neighbouring invocations read neighbouring columns.
  let slot = local % ${slots}u;
  let lane = local / ${slots}u;
  let wanted = (group.x + group.y * 65535u) * ${slots}u + slot;
  findTile(min(wanted, tiles - 1u));
${ranks.map((j) => `  let skinny${j} = min(tile.skinny + ${j}u, tile.skinnyEnd - 1u);`).join("\n")}
${ranks.map((j) => `  var sum${j} = vec4<f32>();`).join("\n")}
  if (tile.isDown) {
${rowLoop(variant, down)}
  } else {
${rowLoop(variant, up)}
  }
${finish}
}`;
}
