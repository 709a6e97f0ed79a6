import type { BlockSide, HeadText } from "./head.wgsl.ts";
import { statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";
import { each, entryNames, four, logitBlock, preamble, scoredFunction } from "./head.wgsl.ts";

/** Invocations of a backward workgroup: more when one pass of 64 does not cover the columns. */
function backwardInvocations(columns: number): number {
  return columns > 64 ? 128 : 64;
}

/** `logitGradient`: upstream gradients of the statistics turned into the gradient of four logits. */
function gradientTerms(text: HeadText): string {
  const fields = ["logSumExp", "entropy", "referenceLogSumExp", "g1", "g2", "g3", "g5", "shift"] as const;
  const at = (name: keyof typeof statisticColumn) => `at + ${statisticColumn[name]}u`;
  const packed = (field: string) => `vec4(a.${field}, b.${field}, c.${field}, d.${field})`;
  return `
struct RowTerms { label: i32, ${fields.map((field) => `${field}: f32`).join(", ")} }
struct BlockTerms { label: vec4<i32>, ${fields.map((field) => `${field}: vec4<f32>`).join(", ")} }
fn rowTerms(row: u32) -> RowTerms {
  // A huge logSumExp makes every probability of a row that is not scored 0.
  if (!isScored(row)) { return RowTerms(-1, 1e30, 0.0, 1e30, 0.0, 0.0, 0.0, 0.0, 0.0); }
  let at = row * ${statisticsWidth}u;
  return RowTerms(labels[row],
    statistics[${at("logSumExp")}], statistics[${at("entropy")}], statistics[${at("referenceLogSumExp")}],
    upstream[${at("logp")}], upstream[${at("entropy")}], upstream[${at("kl")}], upstream[${at("logSumExp")}],
    upstream[${at("meanLogit")}] / f32(${entryNames(text).total}));
}
fn blockTerms(a: RowTerms, b: RowTerms, c: RowTerms, d: RowTerms) -> BlockTerms {
  return BlockTerms(${["label", ...fields].map(packed).join(", ")});
}
fn logitGradient(t: BlockTerms, z: vec4<f32>, zr: vec4<f32>, v: vec4<i32>) -> vec4<f32> {
  let logp = z - t.logSumExp;
  let p = exp(min(logp, vec4<f32>()));
  let hit = select(vec4<f32>(), t.g1, v == t.label);
  ${text.hasReference ? "let klPart = t.g3 * (p - exp(min(zr - t.referenceLogSumExp, vec4<f32>())));" : ""}
  let gradient = hit + t.shift - p * (t.g1 - t.g5 + t.g2 * (logp + t.entropy))${text.hasReference ? " + klPart" : ""};
  return ${text.softCap > 0 ? "gradient * (1.0 - (z / softCap) * (z / softCap))" : "gradient"};
}`;
}

/**
 * Backward for the hidden states ("rows": a workgroup owns four rows and streams the vocabulary) or for the head
 * weight ("vocabulary": owns four entries and streams the rows). Each chunk of the stream has its logit gradients
 * in workgroup memory, one vec4 over the block per streamed entry, and is then multiplied back.
 */
export function backwardText(text: HeadText, side: BlockSide): string {
  const columns = Math.ceil(text.width / 4);
  const invocations = backwardInvocations(columns);
  const tiles = Math.ceil(columns / invocations);
  const slices = tiles > 1 ? 1 : Math.max(1, Math.floor(invocations / columns));
  const isRows = side === "rows";
  const entries = entryNames(text);
  const rows = { start: "0u", end: "uniforms.rows" };
  const [block, stream] = isRows ? [rows, entries] : [entries, rows];
  const chunk = invocations * 4;
  return `
${preamble(text)}
${scoredFunction(text)}
${gradientTerms(text)}
var<workgroup> chunkGradient: array<vec4<f32>, ${chunk}>;
${storeFunction(text, side)}
@compute @workgroup_size(${invocations})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let first = ${block.start} + (group.x + group.y * 65535u) * 4u;
  ${each((i) => `let block${i} = min(first + ${i}u, ${block.end} - 1u);`)}
  ${isRows ? ownedTerms() : ""}
  let slice = local / ${Math.min(columns, invocations)}u;
  let column = local % ${Math.min(columns, invocations)}u;
  ${tileLines(tiles, (t) => each((i) => `var sum${t}x${i} = vec4<f32>();`))}
  for (var base = ${stream.start}; base < ${stream.end}; base += ${chunk}u) {
    ${each((j) => `let entry${j} = base + ${j * invocations}u + local;`)}
    ${each((j) => `let stream${j} = min(entry${j}, ${stream.end} - 1u);`)}
    ${logitBlock(side, text)}
    ${each((j) => chunkLine({ j, invocations, isRows, text }))}
    workgroupBarrier();
    let count = min(${stream.end} - base, ${chunk}u);
    ${productLoop({ tiles, slices, invocations, columns, stream: isRows ? "weight" : "hidden" })}
    workgroupBarrier();
  }
  ${slices > 1 ? mergeSlices(slices, columns) : ""}
  ${tileLines(tiles, (t) => storeTile({ tile: t, invocations, columns, blockCount: block.end }))}
}`;
}

function ownedTerms(): string {
  // Rows past the end get the terms of an unscored row, not those of the clamped one.
  return `let terms = blockTerms(${four.map((i) => `rowTerms(first + ${i}u)`).join(", ")});`;
}

function tileLines(tiles: number, lines: (tile: number) => string): string {
  return Array.from({ length: tiles }, (_, tile) => lines(tile)).join("\n");
}

interface ChunkLine {
  readonly j: number;
  readonly invocations: number;
  readonly isRows: boolean;
  readonly text: HeadText;
}

function chunkLine({ j, invocations, isRows, text }: ChunkLine): string {
  const { tokenOf } = entryNames(text);
  const slot = `chunkGradient[${j * invocations}u + local]`;
  const zr = text.hasReference ? `zr${j}` : "vec4<f32>()";
  if (isRows) return `${slot} = logitGradient(terms, z${j}, ${zr}, vec4(i32(${tokenOf(`entry${j}`)})));`;
  return `let row${j} = rowTerms(entry${j});
    ${slot} = logitGradient(blockTerms(row${j}, row${j}, row${j}, row${j}), z${j}, ${zr},
      vec4<i32>(vec4(${four.map((i) => tokenOf(`first + ${i}u`)).join(", ")})));`;
}

interface ProductLoop {
  readonly tiles: number;
  readonly slices: number;
  readonly invocations: number;
  readonly columns: number;
  readonly stream: string;
}

/** Adds gradient x streamed row to the sums; `slices` groups of invocations share the chunk. */
function productLoop({ tiles, slices, invocations, columns, stream }: ProductLoop): string {
  const tileBody = (t: number) => `
      let value${t} = ${stream}At(base + s, min(column + ${t * invocations}u, ${columns - 1}u));
      ${each((i) => `sum${t}x${i} += g[${i}] * value${t};`)}`;
  return `if (slice < ${slices}u) {
    for (var s = slice; s < count; s += ${slices}u) {
      let g = chunkGradient[s];
      ${tileLines(tiles, tileBody)}
    }
    }`;
}

/** The slices' sums meet in workgroup memory, four vec4 an invocation, and the first slice adds them in order. */
function mergeSlices(slices: number, columns: number): string {
  return `
  ${each((i) => `chunkGradient[local * 4u + ${i}u] = sum0x${i};`)}
  workgroupBarrier();
  if (slice == 0u) {
    for (var other = 1u; other < ${slices}u; other++) {
      ${each((i) => `sum0x${i} += chunkGradient[(other * ${columns}u + column) * 4u + ${i}u];`)}
    }
  }`;
}

/** Gradients of the hidden states are summed over the parts; an entry of the weight is in one part alone. */
function storeFunction({ vectorised, width, isPart }: HeadText, side: BlockSide): string {
  const output = side === "rows" ? "hiddenGradient" : "weightGradient";
  const assign = isPart && side === "rows" ? "+=" : "=";
  const signature = "fn store(row: u32, column: u32, value: vec4<f32>)";
  if (vectorised) return `${signature} { ${output}[row * columns + column] ${assign} value; }`;
  return `${signature} {
  for (var j = 0u; j < 4u; j++) {
    if (column * 4u + j < ${width}u) { ${output}[row * ${width}u + column * 4u + j] ${assign} value[j]; }
  }
}`;
}

interface StoreTile {
  readonly tile: number;
  readonly invocations: number;
  readonly columns: number;
  readonly blockCount: string;
}

function storeTile({ tile, invocations, columns, blockCount }: StoreTile): string {
  const at = `column + ${tile * invocations}u`;
  return `if (slice == 0u && ${at} < ${columns}u) {
    ${each((i) => `if (first + ${i}u < ${blockCount}) { store(first + ${i}u, ${at}, sum${tile}x${i}); }`)}
  }`;
}
