import { eachRow, lanesOf, product, rowQuad, teamKernel } from "./rowTeam.wgsl.ts";

export { rowsOfWorkgroup } from "./rowTeam.wgsl.ts";

/** What changes the text of the shader. */
export interface AddNormVariant {
  readonly hasAdd: boolean;
  readonly upRank: number;
  readonly downRank: number;
  readonly isVector: boolean;
  readonly isSerial: boolean;
}

/** Ranks whose products one lane keeps at a time, the components of a vec4. */
const rankTile = 4;

const ranks = (text: (rank: number) => string, separator: string): string =>
  Array.from({ length: rankTile }, (_, rank) => text(rank)).join(separator);

/** Adds loraScale ya B^T to `value0` to `value3`, the elements of one step. */
function upShare({ upRank, isVector }: AddNormVariant): string {
  if (upRank === 0) return "";
  const inner = isVector
    ? `      let place = uniforms.bOffset / 4u + 4u * step * ${upRank / 4}u + i;
${ranks((j) => `      let b${j} = theta[place + ${j * (upRank / 4)}u];`, "\n")}
${eachRow(
  (t) => `      let a${t} = ya[row${t} * ${upRank / 4}u + i];
      up${t} += vec4<f32>(${ranks((j) => `dot(a${t}, b${j})`, ", ")});`,
)}`
    : `      let b = theta[uniforms.bOffset + step * ${upRank}u + i];
${eachRow((t) => `      up${t} += ya[row${t} * ${upRank}u + i] * b;`)}`;
  return `${eachRow((t) => `    var up${t} = Element();`)}
    for (var i = 0u; i < ${isVector ? upRank / 4 : upRank}u; i++) {
${inner}
    }
${eachRow((t) => `    value${t} += uniforms.loraScale * up${t};`)}`;
}

function normText(variant: AddNormVariant): string {
  const { hasAdd, downRank, isVector } = variant;
  const place = (t: number): string => `row${t} * steps + step`;
  return `  var squares = vec4<f32>();
  for (var step = lane; step < steps; step += lanes) {
${eachRow((t) => `    var value${t} = x[${place(t)}]${hasAdd ? ` + y0[${place(t)}]` : ""};`)}
${upShare(variant)}
${hasAdd ? eachRow((t) => `    h[${place(t)}] = value${t};`) : ""}
    squares += ${rowQuad((t) => product(isVector, `value${t}`, `value${t}`))};
  }
  let rstd = 1.0 / sqrt(total(lane, squares) / columns + uniforms.epsilon);
  for (var step = lane; step < steps; step += lanes) {
    let factor = gain[step];
${eachRow((t) => `    xn[${place(t)}] = ${hasAdd ? "h" : "x"}[${place(t)}] * rstd[${t}] * factor;`)}
  }
  if (lane == 0u) {
${eachRow((t) => `    aux[row${t} * ${1 + downRank}u] = rstd[${t}];`)}
  }`;
}

function storeTile(t: string, sum: string, downRank: number): string {
  return ranks(
    (j) =>
      `    if (4u * tile + ${j}u < ${downRank}u) { aux[row${t} * ${1 + downRank}u + ${1 + j}u + 4u * tile] = ${sum}[${j}]; }`,
    "\n",
  );
}

/** Sums the slices of a tile and stores it; rows are shared out among the tile's lanes. */
function sumSlices(slices: number, lanes: number, downRank: number): string {
  return `${eachRow((t) => `    products[${t * lanes}u + lane] = sum${t};`)}
    workgroupBarrier();
    for (var t = slice; t < 4u; t += ${slices}u) {
      let begin = t * lanes + lane - slice;
      var sum = products[begin];
      for (var other = 1u; other < ${slices}u; other++) { sum += products[begin + other]; }
      let row = min(first + t, uniforms.rows - 1u);
${storeTile("", "sum", downRank)}
    }
    workgroupBarrier();`;
}

/** xa = xn A^T: tiles of four ranks, and where lanes are left over each tile's columns in slices. */
function downText(
  { downRank, isVector, isSerial }: AddNormVariant,
  columns: number,
): { declarations: string; body: string } {
  if (downRank === 0) return { declarations: "", body: "" };
  const lanes = lanesOf(columns, isSerial);
  const tiles = Math.ceil(downRank / rankTile);
  const slices = 2 ** Math.max(0, Math.floor(Math.log2(lanes / tiles)));
  const together = lanes / slices;
  const body = `${isSerial ? "" : "  storageBarrier(); // every lane reads what all have written to xn"}
  let slice = lane % ${slices}u;
  for (var turn = 0u; turn < ${Math.ceil(tiles / together)}u; turn++) {
    let tile = turn * ${together}u + lane / ${slices}u;
${ranks((j) => `    let a${j} = uniforms.aOffset${isVector ? " / 4u" : ""} + min(4u * tile + ${j}u, ${downRank - 1}u) * steps;`, "\n")}
${eachRow((t) => `    var sum${t} = vec4<f32>();`)}
    for (var step = slice; step < steps; step += ${slices}u) {
${ranks((j) => `      let w${j} = theta[a${j} + step];`, "\n")}
${eachRow(
  (t) => `      let v${t} = xn[row${t} * steps + step];
      sum${t} += vec4<f32>(${ranks((j) => product(isVector, `v${t}`, `w${j}`), ", ")});`,
)}
    }
${slices > 1 ? sumSlices(slices, lanes, downRank) : eachRow((t) => storeTile(`${t}`, `sum${t}`, downRank))}
  }`;
  return {
    declarations: slices > 1 ? `var<workgroup> products: array<vec4<f32>, ${4 * lanes}>;\n` : "",
    body,
  };
}

/** Shader of `addNorm` for rows of `columns` numbers. */
export function addNormWgsl(columns: number, variant: AddNormVariant): string {
  const { declarations, body } = downText(variant, columns);
  return `${declarations}${teamKernel({ columns, ...variant }, `${normText(variant)}\n${body}`)}`;
}
