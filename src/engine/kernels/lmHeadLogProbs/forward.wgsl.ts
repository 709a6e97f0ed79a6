import { runningWidth } from "./headParts.cpu.ts";
import type { HeadText } from "./head.wgsl.ts";
import { each, entryNames, four, logitBlock, preamble, scoredFunction } from "./head.wgsl.ts";

const forwardInvocations = 64;

/**
 * Forward: a workgroup owns four rows, its invocations split the vocabulary and keep running maxima and sums
 * as vec4 over the rows; one invocation merges the partial results, and those of earlier parts.
 */
export function forwardText(text: HeadText): string {
  const partialSize = runningWidth(text.hasReference);
  const { start, end, tokenOf } = entryNames(text);
  const names = ["m", "total", "weighted", "sum", "labelLogit", "mr", "totalR", "difference"].slice(
    0,
    partialSize,
  );
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
  ${names.map((name) => `var ${name} = vec4<f32>(${name === "m" || name === "mr" ? "-1e30" : ""});`).join("\n  ")}
  for (var base = ${start}; base < ${end}; base += ${forwardInvocations * 4}u) {
    ${each((j) => `let v${j} = base + ${j * forwardInvocations}u + local;`)}
    ${each((j) => `let stream${j} = min(v${j}, ${end} - 1u);`)}
    ${each((j) => `let valid${j} = select(0.0, 1.0, v${j} < ${end});`)}
    ${logitBlock("rows", text)}
    ${runningSums("m", "z", "total")}
    ${each(
      (j) => `
    weighted += e${j} * (z${j} - newM);
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
  ${text.isPart ? mergeEarlier(names, text.hasReference) : storeText(text.hasReference)}
}`;
}

/** Rescales the running total to the new maximum and adds `e<j>`, the four new exponentials. */
function runningSums(maximum: string, logit: string, total: string): string {
  const isPolicy = maximum === "m";
  const next = isPolicy ? "newM" : "newMr";
  const masked = (j: number) => `select(vec4<f32>(-1e30), ${logit}${j}, valid${j} > 0.0)`;
  const term = isPolicy ? "e" : "er";
  return `
    let ${next} = max(${maximum}, max(max(${masked(0)}, ${masked(1)}), max(${masked(2)}, ${masked(3)})));
    let ${term}Scale = exp(${maximum} - ${next});
    ${each((j) => `let ${term}${j} = valid${j} * exp(min(${logit}${j} - ${next}, vec4<f32>()));`)}
    ${isPolicy ? `weighted = ${term}Scale * (weighted + ${total} * (${maximum} - ${next}));` : ""}
    ${total} = ${term}Scale * ${total} + (${four.map((j) => `${term}${j}`).join(" + ")});
    ${maximum} = ${next};`;
}

function referenceSums(): string {
  return `
    ${runningSums("mr", "zr", "totalR")}
    difference = erScale * difference + (${four.map((j) => `er${j} * (zr${j} - z${j})`).join(" + ")});`;
}

function mergeText(hasReference: boolean): string {
  const reference = `
    let newMr = max(mr, mrOther);
    let scaleR = exp(mr - newMr);
    let scaleROther = exp(mrOther - newMr);
    totalR = scaleR * totalR + scaleROther * totalROther;
    difference = scaleR * difference + scaleROther * differenceOther;
    mr = newMr;`;
  return `
    let newM = max(m, mOther);
    let scale = exp(m - newM);
    let scaleOther = exp(mOther - newM);
    weighted = scale * (weighted + total * (m - newM)) +
      scaleOther * (weightedOther + totalOther * (mOther - newM));
    total = scale * total + scaleOther * totalOther;
    m = newM;
    sum += sumOther;
    labelLogit += labelLogitOther;
    ${hasReference ? reference : ""}`;
}

/** Merges what earlier parts have found, if anything, and leaves the result for later ones. */
function mergeEarlier(names: readonly string[], hasReference: boolean): string {
  const size = names.length;
  // Nothing has been found while the sum is 0; then the maximum is meant to be below every logit.
  const earlier = (name: string, place: number): string => {
    const total = { m: "totalOther", mr: "totalROther" }[name];
    const values = `vec4<f32>(${four.map((i) => `running[block${i} * ${size}u + ${place}u]`).join(", ")})`;
    return total === undefined
      ? `let ${name}Other = ${values};`
      : `let ${name}Other = select(${values}, vec4<f32>(-1e30), ${total} == vec4<f32>());`;
  };
  // Backwards, because the maxima depend on the sums after them.
  const lines = names.map((name, place) => earlier(name, place)).toReversed();
  return `{
    ${lines.join("\n    ")}
    ${mergeText(hasReference)}
  }
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row >= uniforms.rows) { break; }
    ${names.map((name, place) => `running[row * ${size}u + ${place}u] = ${name}[i];`).join("\n    ")}
  }`;
}

function storeText(hasReference: boolean): string {
  return `
  let logTotal = log(total);
  let logp = (labelLogit - m) - logTotal;
  let entropy = logTotal - weighted / total;
  let kl = ${hasReference ? "difference / totalR + ((m - mr) + (logTotal - log(totalR)))" : "vec4<f32>()"};
  let referenceLse = ${hasReference ? "mr + log(totalR)" : "vec4<f32>()"};
  let mean = sum / f32(vocabulary);
  let lse = m + logTotal;
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row >= uniforms.rows) { break; }
    let scored = isScored(row);
    statistics[row * 6u] = select(0.0, logp[i], scored);
    statistics[row * 6u + 1u] = select(0.0, entropy[i], scored);
    statistics[row * 6u + 2u] = select(0.0, kl[i], scored);
    statistics[row * 6u + 3u] = select(0.0, mean[i], scored);
    statistics[row * 6u + 4u] = select(0.0, lse[i], scored);
    statistics[row * 6u + 5u] = select(0.0, referenceLse[i], scored);
  }`;
}
