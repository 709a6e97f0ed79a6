import { runningPlace, runningWidth } from "./headParts.cpu.ts";
import type { RunningName } from "./headParts.cpu.ts";
import { storeStatistics } from "./head.wgsl.ts";

/** Invocations of a workgroup; each finishes one row. */
export const finishWorkgroup = 64;

/** Shader that turns what the parts of a head have found into the statistics of each row. */
export function finishText(hasReference: boolean): string {
  const known = (name: RunningName) => `running[at + ${runningPlace[name]}u]`;
  const reference = `
  let referenceTotal = ${known("referenceTotal")};
  let logReferenceTotal = log(referenceTotal);
  let between = (maximum - ${known("referenceMaximum")}) + (logTotal - logReferenceTotal);
  kl = ${known("difference")} / referenceTotal + between;
  reverseDivergence = ${known("reverseDifference")} / total - between;
  referenceLse = ${known("referenceMaximum")} + logReferenceTotal;`;
  return `
@compute @workgroup_size(${finishWorkgroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = (group.x + group.y * 65535u) * ${finishWorkgroup}u + local;
  if (row >= uniforms.rows) { return; }
  let at = row * ${runningWidth(hasReference)}u;
  let maximum = ${known("maximum")};
  let total = ${known("total")};
  let logTotal = log(total);
  let labelLogit = ${known("labelLogit")};
  var kl = 0.0;
  var reverseDivergence = 0.0;
  var referenceLse = 0.0;${hasReference ? reference : ""}
  let scored = labels[row] >= 0 && u32(labels[row]) < uniforms.vocabulary;
  ${storeStatistics({
    logp: "(labelLogit - maximum) - logTotal",
    entropy: `logTotal - ${known("weighted")} / total`,
    kl: "kl",
    meanLogit: `${known("sum")} / f32(uniforms.vocabulary)`,
    logSumExp: "maximum + logTotal",
    referenceLogSumExp: "referenceLse",
    logSumSquares: `log(${known("squares")}) - 2.0 * logTotal`,
    reverseDivergence: "reverseDivergence",
    isTop: "select(0.0, 1.0, labelLogit >= maximum)",
  })}
}`;
}
