import { weightReaderWgsl } from "../weightLayout/weightReader.wgsl.ts";
import type { WeightReaderText } from "../weightLayout/weightReader.wgsl.ts";

/** Invocations of one workgroup. */
export const embeddingWorkgroup = 64;

/** Columns that one invocation of the gradient adds up. */
export const gradientColumns = 16;

/** Shader of the gather: one invocation per value. */
export const embeddingWgsl = `@compute @workgroup_size(${embeddingWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${embeddingWorkgroup}u + local;
  if (index >= uniforms.rows * uniforms.columns) { return; }
  let id = ids[index / uniforms.columns];
  var value = 0.0;
  if (id >= 0 && u32(id) < uniforms.vocabulary) {
    value = uniforms.scale * weight[u32(id) * uniforms.columns + index % uniforms.columns];
  }
  gathered[index] = value;
}`;

/** Shader of the gather from packed rows: one invocation per four values. */
export function packedEmbeddingWgsl(reader: WeightReaderText & { readonly inputs: number }): string {
  return quadGather(
    reader,
    `  var value = vec4<f32>();
  if (id >= 0 && u32(id) < uniforms.vocabulary) { value = uniforms.scale * weightQuad(u32(id), quad); }`,
  );
}

/** Shader of the gather from a shard of packed rows, which writes the rows of its own ids. */
export function shardEmbeddingWgsl(reader: WeightReaderText & { readonly inputs: number }): string {
  return quadGather(
    reader,
    `  let place = u32(id) - uniforms.first;
  if (id < 0 || u32(id) < uniforms.first || place >= uniforms.vocabulary) { return; }
  let value = uniforms.scale * weightQuad(place, quad);`,
  );
}

function quadGather(reader: WeightReaderText & { readonly inputs: number }, value: string): string {
  const { inputs, hasWholeQuads } = reader;
  const quads = Math.ceil(inputs / 4);
  const store = hasWholeQuads
    ? "  gathered[index] = value;"
    : `  for (var j = 0u; j < 4u; j++) {
    if (quad * 4u + j < ${inputs}u) { gathered[row * ${inputs}u + quad * 4u + j] = value[j]; }
  }`;
  return `${weightReaderWgsl(reader)}

@compute @workgroup_size(${embeddingWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${embeddingWorkgroup}u + local;
  if (index >= uniforms.rows * ${quads}u) { return; }
  let row = index / ${quads}u;
  let quad = index % ${quads}u;
  let id = ids[row];
${value}
${store}
}`;
}

const sums = Array.from({ length: gradientColumns }, (_, index) => index);

/**
 * Shader of the gradient: one invocation per vocabulary entry and group of columns walks the ids in order,
 * so the sums do not depend on scheduling.
 */
export const embeddingGradWgsl = `@compute @workgroup_size(${embeddingWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${embeddingWorkgroup}u + local;
  let columnGroups = (uniforms.columns + ${gradientColumns - 1}u) / ${gradientColumns}u;
  let entry = index / columnGroups;
  if (entry >= uniforms.vocabulary) { return; }
  let column = index % columnGroups * ${gradientColumns}u;
  let last = uniforms.columns - 1u;
${sums.map((i) => `  var sum${i} = 0.0;`).join("\n")}
  for (var row = 0u; row < uniforms.rows; row++) {
    if (ids[row] != i32(entry)) { continue; }
    let start = row * uniforms.columns;
${sums.map((i) => `    sum${i} += dy[start + min(column + ${i}u, last)];`).join("\n")}
  }
  let place = entry * uniforms.columns;
${sums.map((i) => `  if (column + ${i}u <= last) { dweight[place + column + ${i}u] = uniforms.scale * sum${i}; }`).join("\n")}
}`;
