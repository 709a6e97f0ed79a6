/** How `addNorm` and its gradient share out their rows: a team of lanes owns four neighbouring rows. */

/** Rows of one team, the components of a vec4: what is read of theta serves all four. */
export const teamRows = 4;

/** Teams of one invocation each in a workgroup of a software GPU, whose vectors are four invocations wide. */
const serialTeams = 4;

/** Columns from which more lanes have something to do. */
const wideColumns = 512;

/** Rows that one workgroup owns. */
export function rowsOfWorkgroup(isSerial: boolean): number {
  return isSerial ? serialTeams * teamRows : teamRows;
}

/** Lanes of a team: alone on a software GPU, where barriers are slow, else a whole workgroup. */
export function lanesOf(columns: number, isSerial: boolean): number {
  if (isSerial) return 1;
  return columns > wideColumns ? 128 : 64;
}

/** One piece of text for each row of a team. */
export function eachRow(text: (row: number) => string, separator = "\n"): string {
  return Array.from({ length: teamRows }, (_, row) => text(row)).join(separator);
}

/** One component for each row of a team, as a vec4. */
export function rowQuad(text: (row: number) => string): string {
  return `vec4<f32>(${eachRow(text, ", ")})`;
}

/** Sum of the products of two elements; WGSL's own is for vectors only. */
export function product(isVector: boolean, a: string, b: string): string {
  return isVector ? `dot(${a}, ${b})` : `${a} * ${b}`;
}

/** What both shaders know of their rows. */
export interface TeamLayout {
  readonly columns: number;
  readonly isVector: boolean;
  readonly isSerial: boolean;
}

/** Sums over the lanes of a team, added in one order on every device; two barriers. */
function totalFunction(lanes: number): string {
  if (lanes === 1) return `fn total(lane: u32, part: vec4<f32>) -> vec4<f32> { return part; }`;
  return `var<workgroup> partial: array<vec4<f32>, ${lanes}>;

fn total(lane: u32, part: vec4<f32>) -> vec4<f32> {
  partial[lane] = part;
  workgroupBarrier();
  if (lane < 8u) {
    var sum = part;
    for (var other = lane + 8u; other < ${lanes}u; other += 8u) { sum += partial[other]; }
    partial[lane] = sum;
  }
  workgroupBarrier();
  var sum = partial[0];
  for (var other = 1u; other < 8u; other++) { sum += partial[other]; }
  return sum;
}`;
}

/**
 * Shader text around `body`, which finds `lane`, `lanes`, `steps` (elements of a row), `first` (row of the team) and
 * `row0` to `row3`. Rows beyond the end are the last one again, so that everybody meets every barrier.
 */
export function teamKernel({ columns, isVector, isSerial }: TeamLayout, body: string): string {
  const lanes = lanesOf(columns, isSerial);
  const team = isSerial ? `${serialTeams}u * group_index + local` : "group_index";
  return `alias Element = ${isVector ? "vec4<f32>" : "f32"};
const columns = ${columns}.0;
const steps = ${isVector ? columns / 4 : columns}u; // elements of a row
const lanes = ${lanes}u;

${totalFunction(lanes)}

@compute @workgroup_size(${isSerial ? serialTeams : lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group_index = group.x + group.y * 65535u;
  let first = ${teamRows}u * (${team});
  if (first >= uniforms.rows) { return; }
  let lane = ${isSerial ? "0u" : "local"};
${eachRow((row) => `  let row${row} = min(first + ${row}u, uniforms.rows - 1u);`)}
${body}
}`;
}
