import { runningWidth } from "./headParts.cpu.ts";

/** Invocations of a workgroup; each finishes one row. */
export const finishWorkgroup = 64;

/** Shader that turns what the parts of a head have found into the statistics of each row. */
export function finishText(hasReference: boolean): string {
  const reference = `
  let mr = running[at + 5u];
  let totalR = running[at + 6u];
  let logTotalR = log(totalR);
  kl = running[at + 7u] / totalR + ((m - mr) + (logTotal - logTotalR));
  referenceLse = mr + logTotalR;`;
  return `
@compute @workgroup_size(${finishWorkgroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = (group.x + group.y * 65535u) * ${finishWorkgroup}u + local;
  if (row >= uniforms.rows) { return; }
  let at = row * ${runningWidth(hasReference)}u;
  let m = running[at];
  let total = running[at + 1u];
  let logTotal = log(total);
  var kl = 0.0;
  var referenceLse = 0.0;${hasReference ? reference : ""}
  let scored = labels[row] >= 0 && u32(labels[row]) < uniforms.vocabulary;
  statistics[row * 6u] = select(0.0, (running[at + 4u] - m) - logTotal, scored);
  statistics[row * 6u + 1u] = select(0.0, logTotal - running[at + 2u] / total, scored);
  statistics[row * 6u + 2u] = select(0.0, kl, scored);
  statistics[row * 6u + 3u] = select(0.0, running[at + 3u] / f32(uniforms.vocabulary), scored);
  statistics[row * 6u + 4u] = select(0.0, m + logTotal, scored);
  statistics[row * 6u + 5u] = select(0.0, referenceLse, scored);
}`;
}
