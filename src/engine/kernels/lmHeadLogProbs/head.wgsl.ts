import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightReaderWgsl } from "../weightLayout/weightReader.wgsl.ts";
import { statisticColumn, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

/** What the shader texts of the head are specialised by. */
export interface HeadText {
  readonly width: number;
  readonly vocabulary: number;
  /** Arrays are bound as vec4, which needs a width that is a multiple of 4. */
  readonly vectorised: boolean;
  readonly hasReference: boolean;
  /** How the head weight is stored. */
  readonly layout: WeightLayout;
  readonly isNativeHalf: boolean;
  /** Logits are squashed to within plus and minus this; 0 leaves them alone. */
  readonly softCap: number;
  /** The text reads a range of the weight's rows, given by uniforms, and merges what it finds into what was there. */
  readonly isPart: boolean;
}

/** How a text names the vocabulary entries that it reads among the rows of the weight. */
interface EntryNames {
  readonly start: string;
  readonly end: string;
  /** Tokens of the whole vocabulary. */
  readonly total: string;
  /** Token of a row of the weight. */
  readonly tokenOf: (entry: string) => string;
}

/** The whole vocabulary is a constant of the text; a range of it is given by uniforms. */
export function entryNames({ isPart }: HeadText): EntryNames {
  if (!isPart) return { start: "0u", end: "vocabulary", total: "vocabulary", tokenOf: (entry) => entry };
  return {
    start: "uniforms.start",
    end: "uniforms.end",
    total: "uniforms.vocabulary",
    tokenOf: (entry) => `(uniforms.first + ${entry})`,
  };
}

/** Which side a workgroup keeps in a block of four while it streams over the other one. */
export type BlockSide = "rows" | "vocabulary";

/** Rows (or vocabulary entries) that one workgroup owns. */
export const blockSize = 4;

/** `fn <name>At(row, column) -> vec4<f32>`: four neighbours of a row, zero beyond its end. */
function loader(name: string, text: HeadText): string {
  const signature = `fn ${name}At(row: u32, column: u32) -> vec4<f32>`;
  if (text.vectorised) return `${signature} { return ${name}[row * columns + column]; }`;
  const element = (j: number) =>
    `select(0.0, ${name}[base + min(at + ${j}u, ${text.width - 1}u)], at + ${j}u < ${text.width}u)`;
  return `${signature} {
  let base = row * ${text.width}u;
  let at = column * 4u;
  return vec4(${[0, 1, 2, 3].map(element).join(", ")});
}`;
}

function weightLoader({ width, vectorised, layout, isNativeHalf }: HeadText): string {
  const reader = { name: "weight", layout, hasWholeQuads: vectorised, isNativeHalf };
  return weightReaderWgsl({ ...reader, inputs: width, functionName: "weightAt" });
}

/** `squashed(z)`: softCap * tanh(z / softCap), without the loss of `tanh` near overflow. */
function squashFunctions({ softCap }: HeadText): string {
  if (softCap === 0) return "";
  return `
const softCap = f32(${softCap});
fn squashed(z: vec4<f32>) -> vec4<f32> {
  let size = exp(2.0 * min(abs(z) / softCap, vec4<f32>(15.0)));
  return softCap * sign(z) * (1.0 - 2.0 / (size + 1.0));
}`;
}

/** `isScored(row)`: whether the row's label is in the vocabulary. */
export function scoredFunction(text: HeadText): string {
  return `
fn isScored(row: u32) -> bool {
  let label = labels[min(row, uniforms.rows - 1u)];
  return row < uniforms.rows && label >= 0 && u32(label) < ${entryNames(text).total};
}`;
}

/** Lines that write a row's statistics, of which each is an expression; 0 where the row is not `scored`. */
export function storeStatistics(values: Readonly<Record<keyof typeof statisticColumn, string>>): string {
  const columns = Object.entries(statisticColumn) as [keyof typeof statisticColumn, number][];
  const lines = columns.map(
    ([name, column]) =>
      `statistics[row * ${statisticsWidth}u + ${column}u] = select(0.0, ${values[name]}, scored);`,
  );
  return lines.join("\n    ");
}

/** Declarations every text of the head starts with: widths and loaders. */
export function preamble(text: HeadText): string {
  return `
const columns = ${Math.ceil(text.width / 4)}u;
${text.isPart ? "" : `const vocabulary = ${text.vocabulary}u;`}
${loader("hidden", text)}
${weightLoader(text)}
${text.hasReference ? loader("reference", text) : ""}
${squashFunctions(text)}
`;
}

/** Places in a vec4. */
export const four = [0, 1, 2, 3] as const;

/** Lines repeated for the four streamed entries of an invocation. */
export function each(line: (j: number) => string): string {
  return four.map(line).join("\n");
}

/** Logits of 4 x 4 pairs: `z<j>` holds streamed entry j against the block; with a reference also `zr<j>`. */
export function logitBlock(side: BlockSide, { hasReference, softCap }: HeadText): string {
  const block = side === "rows" ? "hidden" : "weight";
  const stream = side === "rows" ? "weight" : "hidden";
  const products = (sum: string, left: string, right: string) =>
    each((j) => `${sum}${j} += vec4(${four.map((i) => `dot(${left}${i}, ${right}${j})`).join(", ")});`);
  const loads = (prefix: string, name: string, index: string) =>
    each((i) => `let ${prefix}${i} = ${name}At(${index}${i}, k);`);
  // The reference takes the place of the hidden states, on whichever side they are.
  const reference =
    side === "rows"
      ? `${loads("r", "reference", "block")}\n${products("zr", "r", "s")}`
      : `${loads("r", "reference", "stream")}\n${products("zr", "b", "r")}`;
  return `
    ${each((j) => `var z${j} = vec4<f32>();`)}
    ${hasReference ? each((j) => `var zr${j} = vec4<f32>();`) : ""}
    for (var k = 0u; k < columns; k++) {
      ${loads("b", block, "block")}
      ${loads("s", stream, "stream")}
      ${products("z", "b", "s")}
      ${hasReference ? reference : ""}
    }
    ${softCap > 0 ? each((j) => `z${j} = squashed(z${j});`) : ""}
    ${softCap > 0 && hasReference ? each((j) => `zr${j} = squashed(zr${j});`) : ""}`;
}
