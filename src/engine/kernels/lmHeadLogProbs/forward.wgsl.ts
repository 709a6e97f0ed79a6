import { runningNames, runningPlace } from "./headParts.cpu.ts";
import type { RunningName } from "./headParts.cpu.ts";
import type { HeadText } from "./head.wgsl.ts";
import {
  each,
  entryNames,
  four,
  logitBlock,
  preamble,
  scoredFunction,
  storeStatistics,
} from "./head.wgsl.ts";

const forwardInvocations = 64;

/**
 * Forward: a workgroup owns four rows, its invocations split the vocabulary and keep running maxima and sums
 * as vec4 over the rows; one invocation merges the partial results, and those of earlier parts.
 */
export function forwardText(text: HeadText): string {
  const names = runningNames(text.hasReference);
  const partialSize = names.length;
  const { start, end, tokenOf } = entryNames(text);
  const isMaximum = (name: RunningName) => name === "maximum" || name === "referenceMaximum";
  return `
${preamble(text)}
${text.isPart ? "" : scoredFunction(text)}
var<workgroup> partials: array<vec4<f32>, ${forwardInvocations * partialSize}>;
@compute @workgroup_size(${forwardInvocations})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let first = (group.x + group.y * 65535u) * 4u;
  let lastRow = uniforms.rows - 1u;
  ${each((i) => `let block${i} = min(first + ${i}u, lastRow);`)}
  let label = vec4<i32>(${four.map((i) => `labels[block${i}]`).join(", ")});
  ${names.map((name) => `var ${name} = vec4<f32>(${isMaximum(name) ? "-1e30" : ""});`).join("\n  ")}
  for (var base = ${start}; base < ${end}; base += ${forwardInvocations * 4}u) {
    ${each((j) => `let v${j} = base + ${j * forwardInvocations}u + local;`)}
    ${each((j) => `let stream${j} = min(v${j}, ${end} - 1u);`)}
    ${each((j) => `let valid${j} = select(0.0, 1.0, v${j} < ${end});`)}
    ${logitBlock("rows", text)}
    ${policySums()}
    ${each(
      (j) => `
    weighted += e${j} * (z${j} - newMaximum);
    sum += valid${j} * z${j};
    labelLogit += valid${j} * select(vec4<f32>(), z${j}, label == vec4(i32(${tokenOf(`v${j}`)})));`,
    )}
    ${text.hasReference ? referenceSums() : ""}
  }
  ${names.map((name, i) => `partials[local * ${partialSize}u + ${i}u] = ${name};`).join("\n  ")}
  workgroupBarrier();
  if (local != 0u) { return; }
  for (var other = 1u; other < ${forwardInvocations}u; other++) {
    ${names.map((name, i) => `let ${name}Other = partials[other * ${partialSize}u + ${i}u];`).join("\n    ")}
    ${mergeText(text.hasReference)}
  }
  ${text.isPart ? mergeEarlier(text.hasReference) : storeText(text.hasReference)}
}`;
}

/** The maximum of an invocation's entries so far, and the four new exponentials. */
function exponentials(names: { maximum: string; next: string; logit: string; term: string }): string {
  const { maximum, next, logit, term } = names;
  const masked = (j: number) => `select(vec4<f32>(-1e30), ${logit}${j}, valid${j} > 0.0)`;
  return `
    let ${next} = max(${maximum}, max(max(${masked(0)}, ${masked(1)}), max(${masked(2)}, ${masked(3)})));
    let ${term}Scale = exp(${maximum} - ${next});
    ${each((j) => `let ${term}${j} = valid${j} * exp(min(${logit}${j} - ${next}, vec4<f32>()));`)}`;
}

/** Sum over the four new entries. */
function sumOf(term: (j: number) => string): string {
  return `(${four.map(term).join(" + ")})`;
}

/** Rescales the running sums to the new maximum and adds the new entries. */
function policySums(): string {
  return `
    ${exponentials({ maximum: "maximum", next: "newMaximum", logit: "z", term: "e" })}
    weighted = eScale * (weighted + total * (maximum - newMaximum));
    total = eScale * total + ${sumOf((j) => `e${j}`)};
    squares = eScale * eScale * squares + ${sumOf((j) => `e${j} * e${j}`)};
    maximum = newMaximum;`;
}

function referenceSums(): string {
  const reference = {
    maximum: "referenceMaximum",
    next: "newReferenceMaximum",
    logit: "zr",
    term: "er",
  };
  return `
    ${exponentials(reference)}
    referenceTotal = erScale * referenceTotal + ${sumOf((j) => `er${j}`)};
    referenceMaximum = newReferenceMaximum;
    difference = erScale * difference + ${sumOf((j) => `er${j} * (zr${j} - z${j})`)};
    reverseDifference = eScale * reverseDifference + ${sumOf((j) => `e${j} * (z${j} - zr${j})`)};`;
}

function mergeText(hasReference: boolean): string {
  const reference = `
    let newReferenceMaximum = max(referenceMaximum, referenceMaximumOther);
    let scaleR = exp(referenceMaximum - newReferenceMaximum);
    let scaleROther = exp(referenceMaximumOther - newReferenceMaximum);
    referenceTotal = scaleR * referenceTotal + scaleROther * referenceTotalOther;
    difference = scaleR * difference + scaleROther * differenceOther;
    reverseDifference = scale * reverseDifference + scaleOther * reverseDifferenceOther;
    referenceMaximum = newReferenceMaximum;`;
  return `
    let newMaximum = max(maximum, maximumOther);
    let scale = exp(maximum - newMaximum);
    let scaleOther = exp(maximumOther - newMaximum);
    weighted = scale * (weighted + total * (maximum - newMaximum)) +
      scaleOther * (weightedOther + totalOther * (maximumOther - newMaximum));
    total = scale * total + scaleOther * totalOther;
    squares = scale * scale * squares + scaleOther * scaleOther * squaresOther;
    maximum = newMaximum;
    sum += sumOther;
    labelLogit += labelLogitOther;
    ${hasReference ? reference : ""}`;
}

/** Merges what earlier parts have found, if anything, and leaves the result for later ones. */
function mergeEarlier(hasReference: boolean): string {
  const names = runningNames(hasReference);
  const known = (row: string, name: RunningName) =>
    `running[${row} * ${names.length}u + ${runningPlace[name]}u]`;
  // Nothing has been found while the sum is 0; then the maximum is meant to be below every logit.
  const totals: Partial<Record<RunningName, string>> = {
    maximum: "totalOther",
    referenceMaximum: "referenceTotalOther",
  };
  const earlier = (name: RunningName): string => {
    const total = totals[name];
    const values = `vec4<f32>(${four.map((i) => known(`block${i}`, name)).join(", ")})`;
    return total === undefined
      ? `let ${name}Other = ${values};`
      : `let ${name}Other = select(${values}, vec4<f32>(-1e30), ${total} == vec4<f32>());`;
  };
  // Backwards, because the maxima depend on the sums after them.
  const lines = names.map(earlier).toReversed();
  return `{
    ${lines.join("\n    ")}
    ${mergeText(hasReference)}
  }
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row >= uniforms.rows) { break; }
    ${names.map((name) => `${known("row", name)} = ${name}[i];`).join("\n    ")}
  }`;
}

function storeText(hasReference: boolean): string {
  const reference = `
  let logReferenceTotal = log(referenceTotal);
  let between = (maximum - referenceMaximum) + (logTotal - logReferenceTotal);
  let kl = difference / referenceTotal + between;
  let reverseDivergence = reverseDifference / total - between;
  let referenceLse = referenceMaximum + logReferenceTotal;`;
  const noReference = ["kl", "reverseDivergence", "referenceLse"].map((name) => `let ${name} = vec4<f32>();`);
  return `
  let logTotal = log(total);
  let logp = (labelLogit - maximum) - logTotal;
  let entropy = logTotal - weighted / total;
  ${hasReference ? reference : noReference.join("\n  ")}
  let mean = sum / f32(vocabulary);
  let lse = maximum + logTotal;
  let logSumSquares = log(squares) - 2.0 * logTotal;
  let isTop = select(vec4<f32>(), vec4<f32>(1.0), labelLogit >= maximum);
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row >= uniforms.rows) { break; }
    let scored = isScored(row);
    ${storeStatistics({
      logp: "logp[i]",
      entropy: "entropy[i]",
      kl: "kl[i]",
      meanLogit: "mean[i]",
      logSumExp: "lse[i]",
      referenceLogSumExp: "referenceLse[i]",
      logSumSquares: "logSumSquares[i]",
      reverseDivergence: "reverseDivergence[i]",
      isTop: "isTop[i]",
    })}
  }`;
}
