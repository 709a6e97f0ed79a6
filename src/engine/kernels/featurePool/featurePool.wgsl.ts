import { quadOf, range, rowReader } from "../groupLinear/groupLinear.wgsl.ts";

/** Invocations of a workgroup, in both texts. */
export const poolWorkgroup = 64;

/** Features and entries of one invocation without barriers. */
const serialColumns = 4;
const serialEntries = 8;

/** Features and entries of one workgroup with barriers: 8 x 8 invocations, each with 8 features of 4 entries. */
const teamColumns = 64;
const teamEntries = 32;
const edge = 8;
/** Quads of the inner axis that lie in workgroup memory at a time: 6 KiB for both operands. */
const teamQuads = 4;

/** Features of one tile of `activity`. */
export function poolColumns(isSerial: boolean): number {
  return isSerial ? serialColumns : teamColumns;
}

/** Statement that adds what is active of four features at one entry to `total` and `count`. */
function addActive(names: { total: string; count: string; pre: string; gate: string; isOn: string }): string {
  const { total, count, pre, gate, isOn } = names;
  return `{
      let isActive = (${pre} > ${gate}) & vec4<bool>(${isOn});
      ${total} += select(vec4<f32>(), ${pre}, isActive);
      ${count} += select(vec4<f32>(), vec4<f32>(1.0), isActive);
    }`;
}

const lines = (parts: readonly string[]): string => parts.join("\n    ");

/** Shader without barriers: an invocation owns four features of one answer and walks the answer's entries. */
export function serialPoolWgsl(width: number, inputSize: number): string {
  const [x, weight] = [rowReader("hidden", inputSize), rowReader("encoder", inputSize)];
  const [columns, entries] = [range(serialColumns), range(serialEntries)];
  const isInside = (j: number): string => `column + ${j}u < ${width}u`;
  return `${x.functions}
${weight.functions}
@compute @workgroup_size(${poolWorkgroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  const tiles = ${Math.ceil(width / serialColumns)}u;
  let item = (group.x + group.y * 65535u) * ${poolWorkgroup}u + lane;
  if (item >= uniforms.answers * tiles) { return; }
  let answer = item / tiles;
  let column = item % tiles * ${serialColumns}u;
  let first = entryRanges[2u * answer];
  let end = entryRanges[2u * answer + 1u];
  ${lines(columns.map((j) => `let feature${j} = min(column + ${j}u, ${width - 1}u);`))}
  ${lines(columns.map((j) => `let weight${j} = ${weight.start(`feature${j}`)};`))}
  let own = ${quadOf((j) => `bias[feature${j}]`)};
  let gate = max(${quadOf((j) => `threshold[feature${j}]`)}, vec4<f32>());
  var total = vec4<f32>();
  var count = vec4<f32>();
  for (var entry = first; entry < end; entry += ${serialEntries}) {
    ${lines(entries.map((i) => `let row${i} = scoredRows[min(entry + ${i}, end - 1)];`))}
    ${lines(entries.map((i) => `let x${i} = ${x.start(`u32(max(row${i}, 0))`)};`))}
    ${lines(entries.map((i) => `var sum${i} = own;`))}
    for (var k = 0u; k < ${Math.ceil(inputSize / 4)}u; k++) {
      ${lines(columns.map((j) => `let v${j} = ${weight.quad(`weight${j}`, "k")};`))}
      ${lines(
        entries.map(
          (i) => `let u${i} = ${x.quad(`x${i}`, "k")}; sum${i} += ${quadOf((j) => `dot(u${i}, v${j})`)};`,
        ),
      )}
    }
    ${lines(
      entries.map((i) =>
        addActive({
          total: "total",
          count: "count",
          pre: `sum${i}`,
          gate: "gate",
          isOn: `row${i} >= 0 && entry + ${i} < end`,
        }),
      ),
    )}
  }
  let scale = 1.0 / f32(max(end - first, 1));
  ${lines(columns.map((j) => `if (${isInside(j)}) { pooled[answer * ${width}u + column + ${j}u] = total[${j}] * scale; }`))}
  activity[item] = (${columns.map((j) => `select(0.0, count[${j}], ${isInside(j)})`).join(" + ")}) * scale;
}`;
}

/** Statements that put the next quads of both operands into workgroup memory, zeros beyond the row. */
function loadTiles(width: number, inputSize: number): string {
  const [x, weight] = [rowReader("hidden", inputSize), rowReader("encoder", inputSize)];
  const steps = Math.ceil(inputSize / 4);
  const load = (tile: string, rows: number, read: string): string => `
      for (var item = local; item < ${rows * teamQuads}u; item += ${poolWorkgroup}u) {
        let place = item / ${teamQuads}u;
        let quad = base + item % ${teamQuads}u;
        var value = vec4<f32>();
        if (quad < ${steps}u) { ${read} }
        ${tile}[item % ${teamQuads}u * ${rows}u + place] = value;
      }`;
  const readWeight = `let start = ${weight.start(`min(firstColumn + place, ${width - 1}u)`)};
          value = ${weight.quad("start", "quad")};`;
  const readState = `let row = scoredRows[min(firstEntry + i32(place), end - 1)];
          let start = ${x.start("u32(max(row, 0))")};
          value = ${x.quad("start", "quad")};`;
  return `${load("weights", teamColumns, readWeight)}${load("states", teamEntries, readState)}`;
}

/** Statements that add one quad's products of 8 features with 4 entries. */
function teamProducts(): string {
  const features = range(edge).map((j) => `let v${j} = weights[q * ${teamColumns}u + x + ${edge * j}u];`);
  const entries = range(4).map(
    (i) => `let u${i} = states[q * ${teamEntries}u + y + ${edge * i}u];
          ${[0, 1].map((p) => `sum${i}_${p} += ${quadOf((j) => `dot(u${i}, v${4 * p + j})`)};`).join("\n          ")}`,
  );
  return [...features, ...entries].join("\n          ");
}

/**
 * Shader for a GPU: a workgroup owns 64 features of one answer and walks its entries in tiles of 32, with both
 * operands in workgroup memory. Answers are the fast axis of the grid, so that neighbours read the same features.
 */
export function teamPoolWgsl(width: number, inputSize: number): string {
  const functions = ["hidden", "encoder"].map((name) => rowReader(name, inputSize).functions);
  const feature = (p: number) => (j: number) =>
    `min(firstColumn + x + ${edge * (4 * p + j)}u, ${width - 1}u)`;
  const isInside = (p: number) => (j: number) => `firstColumn + x + ${edge * (4 * p + j)}u < ${width}u`;
  const halves = [0, 1];
  return `${functions.join("\n")}
var<workgroup> weights: array<vec4<f32>, ${teamColumns * teamQuads}>;
var<workgroup> states: array<vec4<f32>, ${teamEntries * teamQuads}>;

@compute @workgroup_size(${poolWorkgroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  const tiles = ${Math.ceil(width / teamColumns)}u;
  let item = group.x + group.y * 65535u;
  if (item >= uniforms.answers * tiles) { return; }
  let answer = item % uniforms.answers;
  let tile = item / uniforms.answers;
  let firstColumn = tile * ${teamColumns}u;
  let x = local % ${edge}u;
  let y = local / ${edge}u;
  let first = entryRanges[2u * answer];
  let end = entryRanges[2u * answer + 1u];
  ${lines(
    halves.flatMap((p) => [
      `let own${p} = ${quadOf((j) => `bias[${feature(p)(j)}]`)};`,
      `let gate${p} = max(${quadOf((j) => `threshold[${feature(p)(j)}]`)}, vec4<f32>());`,
      `var total${p} = vec4<f32>();`,
      `var count${p} = vec4<f32>();`,
    ]),
  )}
  for (var firstEntry = first; firstEntry < end; firstEntry += ${teamEntries}) {
    ${range(4)
      .flatMap((i) => halves.map((p) => `var sum${i}_${p} = own${p};`))
      .join("\n    ")}
    for (var base = 0u; base < ${Math.ceil(inputSize / 4)}u; base += ${teamQuads}u) {${loadTiles(width, inputSize)}
      workgroupBarrier();
      for (var q = 0u; q < ${teamQuads}u; q++) {
          ${teamProducts()}
      }
      workgroupBarrier();
    }
    ${range(4).map(teamActive).join("\n    ")}
  }
${teamStore(width, isInside)}
}`;
}

function teamActive(i: number): string {
  const sums = [0, 1].map((p) =>
    addActive({
      total: `total${p}`,
      count: `count${p}`,
      pre: `sum${i}_${p}`,
      gate: `gate${p}`,
      isOn: `isOn${i}`,
    }),
  );
  return `let entry${i} = firstEntry + i32(y) + ${edge * i};
    let isOn${i} = entry${i} < end && scoredRows[min(entry${i}, end - 1)] >= 0;
    ${sums.join("\n    ")}`;
}

/** Adds up what the eight invocations of a feature found, always in the same order. */
function teamStore(width: number, isInside: (p: number) => (j: number) => string): string {
  const counted = [0, 1].flatMap((p) =>
    range(4).map((j) => `select(0.0, count${p}[${j}], ${isInside(p)(j)})`),
  );
  return `  let scale = 1.0 / f32(max(end - first, 1));
  weights[local * 2u] = total0;
  weights[local * 2u + 1u] = total1;
  states[local].x = ${counted.join(" +\n    ")};
  workgroupBarrier();
  if (firstColumn + local < ${width}u) {
    let j = local / ${edge}u;
    var total = 0.0;
    for (var other = 0u; other < ${edge}u; other++) {
      total += weights[(other * ${edge}u + x) * 2u + j / 4u][j % 4u];
    }
    pooled[answer * ${width}u + firstColumn + local] = total * scale;
  }
  if (local == 0u) {
    var count = 0.0;
    for (var other = 0u; other < ${poolWorkgroup}u; other++) { count += states[other].x; }
    activity[answer * tiles + tile] = count * scale;
  }`;
}
