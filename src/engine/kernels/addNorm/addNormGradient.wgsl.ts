import { eachRow, product, rowQuad, teamKernel } from "./rowTeam.wgsl.ts";

/** What changes the text of the shader. */
export interface AddNormGradientVariant {
  readonly downRank: number;
  readonly isVector: boolean;
  readonly isSerial: boolean;
}

const quadOf = (text: (index: number) => string): string => `vec4<f32>(${[0, 1, 2, 3].map(text).join(", ")})`;

/** sum over the columns of gain (dxa A) hh = sum over the ranks of dxa xa: A need not be read for it. */
function adapterSum({ downRank, isVector }: AddNormGradientVariant): string {
  if (downRank === 0) return "";
  const steps = isVector ? downRank / 4 : downRank;
  const xa = (t: number): string => {
    const place = (j: number): string =>
      `aux[row${t} * ${1 + downRank}u + ${1 + j}u + ${isVector ? "4u * " : ""}i]`;
    return isVector ? quadOf(place) : place(0);
  };
  return `  for (var i = lane; i < ${steps}u; i += lanes) {
    adapted += ${rowQuad((t) => product(isVector, `dxa[row${t} * ${steps}u + i]`, xa(t)))};
  }`;
}

/** Adds dxa A to `value0` to `value3`, the elements of one step. */
function adapterShare({ downRank, isVector }: AddNormGradientVariant): string {
  if (downRank === 0) return "";
  if (!isVector) {
    return `    for (var i = 0u; i < ${downRank}u; i++) {
      let w = theta[uniforms.aOffset + i * steps + step];
${eachRow((t) => `      value${t} += dxa[row${t} * ${downRank}u + i] * w;`)}
    }`;
  }
  return `    for (var i = 0u; i < ${downRank / 4}u; i++) {
      let place = uniforms.aOffset / 4u + 4u * i * steps + step;
${[0, 1, 2, 3].map((j) => `      let w${j} = theta[place + ${j}u * steps];`).join("\n")}
${eachRow(
  (t) => `      let d${t} = dxa[row${t} * ${downRank / 4}u + i];
      value${t} += d${t}.x * w0 + d${t}.y * w1 + d${t}.z * w2 + d${t}.w * w3;`,
)}
    }`;
}

/** Shader of `addNormGradient` for rows of `columns` numbers. */
export function addNormGradientWgsl(columns: number, variant: AddNormGradientVariant): string {
  const { downRank, isVector } = variant;
  const place = (t: number): string => `row${t} * steps + step`;
  return teamKernel(
    { columns, ...variant },
    `  let rstd = ${rowQuad((t) => `aux[row${t} * ${1 + downRank}u]`)};
  var along = vec4<f32>();
  for (var step = lane; step < steps; step += lanes) {
    let factor = gain[step];
    along += ${rowQuad((t) => product(isVector, `(factor * dxn0[${place(t)}])`, `h[${place(t)}]`))};
  }
  var adapted = vec4<f32>();
${adapterSum(variant)}
  let pull = total(lane, along * rstd + adapted) / columns * rstd * rstd;
  for (var step = lane; step < steps; step += lanes) {
    let factor = gain[step];
${eachRow((t) => `    var value${t} = dxn0[${place(t)}];`)}
${adapterShare(variant)}
${eachRow(
  (t) => `    if (first + ${t}u < uniforms.rows) {
      dh[${place(t)}] += rstd[${t}] * factor * value${t} - h[${place(t)}] * pull[${t}];
    }`,
)}
  }`,
  );
}

/** Columns of one workgroup of the gain's gradient: neighbours that share a line of the cache. */
export const gainColumns = 8;

const gainLanes = 16;

/** Shader of the gain's gradient: each lane adds up every 16th row, then the lanes are added in order. */
export const addNormGainGradientWgsl = `var<workgroup> partial: array<f32, ${gainColumns * gainLanes}>;

@compute @workgroup_size(${gainColumns}, ${gainLanes})
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let wanted = group.x * ${gainColumns}u + local.x;
  let column = min(wanted, uniforms.columns - 1u);
  var sum = 0.0;
  for (var row = local.y; row < uniforms.rows; row += ${gainLanes}u) {
    let index = row * uniforms.columns + column;
    sum += dxn[index] * h[index] * aux[row * uniforms.auxColumns];
  }
  partial[local.y * ${gainColumns}u + local.x] = sum;
  workgroupBarrier();
  if (local.y > 0u || wanted >= uniforms.columns) { return; }
  for (var lane = 1u; lane < ${gainLanes}u; lane++) { sum += partial[lane * ${gainColumns}u + local.x]; }
  dgain[column] = sum;
}`;
