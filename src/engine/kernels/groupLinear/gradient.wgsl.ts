import type { PlacedSegment } from "./groupLinear.ts";
import {
  quadOf,
  range,
  rowReader,
  shareLoop,
  storeQuad,
  tileWgsl,
  weightReader,
} from "./groupLinear.wgsl.ts";
import type { StackedWeight, Tiling } from "./groupLinear.wgsl.ts";

/** What changes the text of `linearGradient`. */
export interface GradientVariant extends Tiling, StackedWeight {
  /** Empty without adapters. */
  readonly segments: readonly PlacedSegment[];
  /** Sum of the ranks. */
  readonly rank: number;
}

function weightSums(variant: GradientVariant): string {
  const { outputs, tileRows, split } = variant;
  const [dy, weight] = [rowReader("dy", outputs), weightReader(variant)];
  const isWhole = outputs % 4 === 0;
  const rowAt = (j: number): string =>
    isWhole ? `(4u * k + ${j}u)` : `min(4u * k + ${j}u, ${outputs - 1}u)`;
  const body = [
    ...range(4).map((j) => `let v${j} = ${weight.quad(weight.start(rowAt(j)), "tile")};`),
    ...range(tileRows).flatMap((i) => [
      `let u${i} = ${dy.quad(`dy${i}`, "k")};`,
      `sum0_${i} += u${i}.x * v0 + u${i}.y * v1 + u${i}.z * v2 + u${i}.w * v3;`,
    ]),
  ].join("\n");
  return shareLoop(`${Math.ceil(outputs / 4)}u`, split, body);
}

/** Statements that find the segment of a tile beyond the weight's, and where among its ranks the tile starts. */
function segmentChoice(segments: readonly PlacedSegment[], weightTiles: number): string {
  let firstTile = weightTiles;
  const branches: string[] = [];
  for (const { columns, rank, firstColumn, firstFactor } of segments) {
    const tiles = Math.ceil(rank / 4);
    if (tiles === 0) continue;
    branches.push(`if (tile < ${firstTile + tiles}u) {
  first = 4u * (tile - ${firstTile}u);
  rank = ${rank}u;
  columns = ${columns}u;
  firstColumn = ${firstColumn}u;
  factor = uniforms.offset + ${firstFactor}u;
}`);
    firstTile += tiles;
  }
  return `var first = 0u;
var rank = 0u;
var columns = 0u;
var firstColumn = 0u;
var factor = 0u;
${branches.join(" else ")}`;
}

function lowRankSums(variant: GradientVariant, weightTiles: number): string {
  const { outputs, segments, tileRows, split } = variant;
  const isAligned = segments.every(({ columns }) => columns % 4 === 0);
  const upAt = (column: string): string[] => [
    `let b${column === "" ? "" : column} = factor + (${column === "" ? "k" : `4u * k + ${column}u`}) * rank;`,
    `let v${column} = ${quadOf((j) => `theta[b${column} + place${j}]`)};`,
  ];
  const valueAt = (i: number): string => {
    const index = `row${i} * ${outputs}u + firstColumn + k`;
    return outputs % 4 === 0 ? `dy[(${index}) / 4u][(${index}) % 4u]` : `dy[${index}]`;
  };
  const alignedBody = [
    ...range(4).flatMap((j) => upAt(`${j}`)),
    ...range(tileRows).flatMap((i) => [
      `let u${i} = dy[dy${i} + firstColumn / 4u + k];`,
      `sum0_${i} += u${i}.x * v0 + u${i}.y * v1 + u${i}.z * v2 + u${i}.w * v3;`,
    ]),
  ];
  const columnBody = [...upAt(""), ...range(tileRows).map((i) => `sum0_${i} += ${valueAt(i)} * v;`)];
  const places = range(4).map((j) => `let place${j} = min(first + ${j}u, rank - 1u);`);
  return `${segmentChoice(segments, weightTiles)}
${places.join("\n")}
${isAligned ? shareLoop("columns / 4u", split, alignedBody.join("\n")) : shareLoop("columns", split, columnBody.join("\n"))}
${range(tileRows)
  .map((i) => `sum0_${i} *= uniforms.scale;`)
  .join("\n")}`;
}

function lowRankStore({ segments, rank }: GradientVariant, weightTiles: number): string {
  let firstTile = weightTiles;
  const branches: string[] = [];
  for (const { rank: width, firstRank } of segments) {
    const tiles = Math.ceil(width / 4);
    if (tiles === 0) continue;
    const stores = range(4).map(
      (j) =>
        `if (first + ${j}u < ${width}u) { dxa[row * ${rank}u + ${firstRank}u + first + ${j}u] = sum[${j}]; }`,
    );
    branches.push(`if (tile < ${firstTile + tiles}u) {
let first = 4u * (tile - ${firstTile}u);
${stores.join("\n")}
}`);
    firstTile += tiles;
  }
  return branches.join(" else ");
}

/** Shader of `linearGradient`: the columns of dxa follow those of dx as further tiles of the same dispatch. */
export function linearGradientWgsl(variant: GradientVariant): string {
  const { inputs, outputs, segments, tileRows } = variant;
  const weightTiles = Math.ceil(inputs / 4);
  const lowRankTiles = segments.reduce((sum, { rank }) => sum + Math.ceil(rank / 4), 0);
  const withLowRank = (own: string, lowRank: () => string): string =>
    segments.length === 0 ? own : `if (tile < ${weightTiles}u) {\n${own}\n} else {\n${lowRank()}\n}`;
  const [dy, weight] = [rowReader("dy", outputs), weightReader(variant)];
  const store = `fn store(row: u32, tile: u32, sum: vec4<f32>) {
  ${withLowRank(storeQuad("dx", inputs, "(4u * tile)", "sum"), () => lowRankStore(variant, weightTiles))}
}`;
  return tileWgsl({
    ...variant,
    tileColumns: weightTiles + lowRankTiles,
    products: 1,
    sharesNeighbours: false,
    functions: [dy.functions, weight.functions, store],
    sums: [
      ...range(tileRows).map((i) => `let dy${i} = ${dy.start(`row${i}`)};`),
      withLowRank(weightSums(variant), () => lowRankSums(variant, weightTiles)),
    ].join("\n"),
  });
}
