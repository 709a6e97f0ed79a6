import type { Activation } from "../gatedActivation/activation.ts";
import { activationWgsl } from "../gatedActivation/activation.wgsl.ts";
import type { PlacedSegment } from "./groupLinear.ts";
import {
  quadOf,
  range,
  rowReader,
  scalarReader,
  shareLoop,
  storeQuad,
  tileWgsl,
  weightReader,
} from "./groupLinear.wgsl.ts";
import type { RowReader, StackedWeight, Tiling } from "./groupLinear.wgsl.ts";

/** What changes the text of the forward shaders. */
export interface ForwardVariant extends Tiling, StackedWeight {
  readonly hasBias: boolean;
}

/** Statements that add x W^T at four columns of each product; `columns[p]` is the first of product p. */
function weightSums(variant: ForwardVariant, columns: readonly string[]): string {
  const { inputs, outputs, tileRows, split } = variant;
  const [x, weight] = [rowReader("x", inputs), weightReader(variant)];
  const starts = columns.flatMap((column, p) =>
    range(4).map((j) => `let weight${p}_${j} = ${weight.start(`min(${column} + ${j}u, ${outputs - 1}u)`)};`),
  );
  const quads = columns.flatMap((_, p) =>
    range(4).map((j) => `let v${p}_${j} = ${weight.quad(`weight${p}_${j}`, "k")};`),
  );
  const sums = range(tileRows).flatMap((i) => [
    `let u${i} = ${x.quad(`x${i}`, "k")};`,
    ...columns.map((_, p) => `sum${p}_${i} += ${quadOf((j) => `dot(u${i}, v${p}_${j})`)};`),
  ]);
  const body = [...quads, ...sums].join("\n");
  return [...starts, shareLoop(`${Math.ceil(inputs / 4)}u`, split, body)].join("\n");
}

function inputStarts({ inputs, tileRows }: ForwardVariant): string {
  const { start } = rowReader("x", inputs);
  return range(tileRows)
    .map((i) => `let x${i} = ${start(`row${i}`)};`)
    .join("\n");
}

/** Function that gives a column's first low-rank column, its rank, and where its row of B starts. */
function segmentFunction(segments: readonly PlacedSegment[]): string {
  const branches = segments.map(({ firstColumn, columns, rank, firstRank, firstFactor }) => {
    const factor = `uniforms.offset + ${firstFactor}u + (column - ${firstColumn}u) * ${rank}u`;
    return `if (column < ${firstColumn + columns}u) { return vec3<u32>(${firstRank}u, ${rank}u, ${factor}); }`;
  });
  return `fn segmentOf(column: u32) -> vec3<u32> {
  ${branches.join("\n  ")}
  return vec3<u32>();
}`;
}

/** Statements that add scale xa B^T at four columns of each product. */
function upSums(
  { outputs, tileRows, split }: ForwardVariant,
  segments: readonly PlacedSegment[],
  columns: readonly string[],
): string {
  // Four columns of a tile belong to one segment when every segment starts at a multiple of four.
  const isAligned = segments.every(({ columns: width }) => width % 4 === 0);
  const starts = range(tileRows).map(
    (i) => `let down${i} = row${i} * uniforms.xaColumns + uniforms.xaOffset;`,
  );
  const perTile = columns.map((column, p) => {
    const factors = quadOf((j) => `theta[segment.z + ${j}u * segment.y + k]`);
    const body = [
      `let b = uniforms.scale * ${factors};`,
      ...range(tileRows).map((i) => `sum${p}_${i} += xa[down${i} + segment.x + k] * b;`),
    ].join("\n");
    return `{
let segment = segmentOf(${column});
${shareLoop("segment.y", split, body)}
}`;
  });
  const perColumn = columns.flatMap((column, p) =>
    range(4).map((j) => {
      const body = [
        "let b = uniforms.scale * theta[segment.z + k];",
        ...range(tileRows).map((i) => `sum${p}_${i}[${j}] += xa[down${i} + segment.x + k] * b;`),
      ].join("\n");
      return `{
let segment = segmentOf(min(${column} + ${j}u, ${outputs - 1}u));
${shareLoop("segment.y", split, body)}
}`;
    }),
  );
  return [...starts, ...(isAligned ? perTile : perColumn)].join("\n");
}

const biasAt = (column: string, outputs: number): string =>
  quadOf((j) => `bias[min(${column} + ${j}u, ${outputs - 1}u)]`);

const functionsOf = (readers: readonly RowReader[]): string[] => readers.map(({ functions }) => functions);

/** What changes the text of `linearUp`. */
export interface UpVariant extends ForwardVariant {
  /** Empty without adapters. */
  readonly segments: readonly PlacedSegment[];
}

/** Shader of `linearUp`: four columns of the stacked weight per invocation. */
export function linearUpWgsl(variant: UpVariant): string {
  const { inputs, outputs, segments, hasBias } = variant;
  const store = `fn store(row: u32, tile: u32, sum: vec4<f32>) {
  let column = 4u * tile;
  let value = sum${hasBias ? ` + ${biasAt("column", outputs)}` : ""};
  ${storeQuad("y", outputs, "column", "value")}
}`;
  return tileWgsl({
    ...variant,
    tileColumns: Math.ceil(outputs / 4),
    products: 1,
    sharesNeighbours: true,
    functions: [
      ...functionsOf([rowReader("x", inputs), weightReader(variant)]),
      segments.length === 0 ? "" : segmentFunction(segments),
      store,
    ],
    sums: [
      "let column = 4u * tile;",
      inputStarts(variant),
      weightSums(variant, ["column"]),
      segments.length === 0 ? "" : upSums(variant, segments, ["column"]),
    ].join("\n"),
  });
}

/** What changes the text of `linearUpAct`. */
export interface UpActVariant extends UpVariant {
  readonly activation: Activation;
  readonly keeps: boolean;
}

/** Shader of `linearUpAct`: four gate columns and the matching up columns per invocation. */
export function linearUpActWgsl(variant: UpActVariant): string {
  const { inputs, outputs, segments, hasBias, activation, keeps } = variant;
  const width = outputs / 2;
  const columns = ["column", `(${width}u + column)`];
  const sumWith = (p: number): string => `sum${p}${hasBias ? ` + ${biasAt(columns[p]!, outputs)}` : ""}`;
  // The last tile of a width that is not a multiple of four ends where the other half begins.
  const keep = (start: string, name: string): string =>
    width % 4 === 0
      ? `gu[(row * ${outputs}u + ${start}) / 4u] = ${name};`
      : range(4)
          .map(
            (j) =>
              `if (column + ${j}u < ${width}u) { gu[row * ${outputs}u + ${start} + ${j}u] = ${name}[${j}]; }`,
          )
          .join("\n  ");
  const store = `fn store(row: u32, tile: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
  let column = 4u * tile;
  let gate = ${sumWith(0)};
  let up = ${sumWith(1)};
  let value = activate(gate).value * up;
  ${storeQuad("a", width, "column", "value")}
  ${keeps ? `${keep("column", "gate")}\n  ${keep(columns[1]!, "up")}` : ""}
}`;
  return tileWgsl({
    ...variant,
    tileColumns: Math.ceil(width / 4),
    products: 2,
    sharesNeighbours: true,
    functions: [
      ...functionsOf([rowReader("x", inputs), weightReader(variant)]),
      segments.length === 0 ? "" : segmentFunction(segments),
      activationWgsl(activation, 4),
      store,
    ],
    sums: [
      "let column = 4u * tile;",
      inputStarts(variant),
      weightSums(variant, columns),
      segments.length === 0 ? "" : upSums(variant, segments, columns),
    ].join("\n"),
  });
}

/** What changes the text of `linearDown`. */
export interface DownVariant extends ForwardVariant {
  /** Rows of the stacked down factors; 0 without adapters. */
  readonly rank: number;
}

/** Shader of `linearDown`: the rows of A follow the weight's as further tiles of the same dispatch. */
export function linearDownWgsl(variant: DownVariant): string {
  const { inputs, outputs, hasBias, rank, tileRows, split } = variant;
  const weightTiles = Math.ceil(outputs / 4);
  const [x, a] = [rowReader("x", inputs), scalarReader("theta", inputs, "uniforms.offset")];
  const downBody = [
    ...range(4).map((j) => `let v${j} = ${a.quad(`a${j}`, "k")};`),
    ...range(tileRows).flatMap((i) => [
      `let u${i} = ${x.quad(`x${i}`, "k")};`,
      `sum0_${i} += ${quadOf((j) => `dot(u${i}, v${j})`)};`,
    ]),
  ].join("\n");
  const downSums = `let first = 4u * (tile - ${weightTiles}u);
${range(4)
  .map((j) => `let a${j} = ${a.start(`min(first + ${j}u, ${rank - 1}u)`)};`)
  .join("\n")}
${shareLoop(`${Math.ceil(inputs / 4)}u`, split, downBody)}`;
  const plainStore = `let column = 4u * tile;
  let value = sum${hasBias ? ` + ${biasAt("column", outputs)}` : ""};
  ${storeQuad("y", outputs, "column", "value")}`;
  const withDown = (own: string, down: string): string =>
    rank === 0 ? own : `if (tile < ${weightTiles}u) {\n${own}\n} else {\n${down}\n}`;
  const store = `fn store(row: u32, tile: u32, sum: vec4<f32>) {
  ${withDown(plainStore, `let first = 4u * (tile - ${weightTiles}u);\n${storeQuad("ya", rank, "first", "sum")}`)}
}`;
  return tileWgsl({
    ...variant,
    tileColumns: weightTiles + Math.ceil(rank / 4),
    products: 1,
    sharesNeighbours: true,
    functions: [...functionsOf([x, weightReader(variant)]), rank === 0 ? "" : a.functions, store],
    sums: [
      inputStarts(variant),
      withDown(`let column = 4u * tile;\n${weightSums(variant, ["column"])}`, downSums),
    ].join("\n"),
  });
}
