/** Shader text that reads packed weights as four 32-bit floats at a time; see `weightLayout.ts` for the layouts. */
import type { Binding } from "../../tensor/op.ts";
import type { WeightLayout } from "./weightLayout.ts";

/** One packed weight as a shader sees it. */
export interface WeightReader {
  /** Name of the bound array. */
  readonly name: string;
  readonly layout: WeightLayout;
  /** Values of a row are a multiple of 4, so that a quad never crosses the end of a row. */
  readonly hasWholeQuads: boolean;
  /** The device reads 16-bit floats itself (`hasNativeHalf`); matters for `f16` with whole quads alone. */
  readonly isNativeHalf?: boolean;
}

/** What the text of a reader needs besides. */
export interface WeightReaderText extends WeightReader {
  /** Values of a row: a number that is baked in, or a u32 expression such as `uniforms.inner`. */
  readonly inputs: number | string;
  /** Name of the function; `weightQuad` when left out. */
  readonly functionName?: string;
}

/** The binding of a packed weight: floats for `f32`, words (an int32 tensor [rows, wordsPerRow]) for the others. */
export function weightBinding({ name, layout, hasWholeQuads, isNativeHalf }: WeightReader): Binding {
  switch (layout) {
    case "f32":
      return { name, type: hasWholeQuads ? "vec4<f32>" : "f32" };
    case "f16":
      if (!hasWholeQuads) return { name, type: "u32" };
      return { name, type: isNativeHalf === true ? "vec4<f16>" : "vec2<u32>" };
    case "bf16":
      return { name, type: hasWholeQuads ? "vec2<u32>" : "u32" };
    case "q8":
    case "q4s":
    case "q4m":
      return { name, type: "u32" };
  }
}

/**
 * `fn weightQuad(row: u32, quad: u32) -> vec4<f32>`: values 4 * quad to 4 * quad + 3 of a row, 0 past its end. `quad`
 * must start within the row.
 */
export function weightReaderWgsl(reader: WeightReaderText): string {
  const { hasWholeQuads, functionName = "weightQuad", isNativeHalf } = reader;
  const inputs = typeof reader.inputs === "number" ? `${reader.inputs}u` : reader.inputs;
  const mask = `
  let places = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u);
  return select(vec4<f32>(), values, places < vec4<u32>(inputs));`;
  const usesHalf = reader.layout === "f16" && hasWholeQuads && isNativeHalf === true;
  return `${usesHalf ? "enable f16;\n" : ""}fn ${functionName}(row: u32, quad: u32) -> vec4<f32> {
  let inputs = ${inputs};
${valuesText(reader)}${hasWholeQuads ? "\n  return values;" : mask}
}`;
}

/** Statements that leave four values in `values`. */
function valuesText({ name, layout, hasWholeQuads, isNativeHalf }: WeightReader): string {
  switch (layout) {
    case "f32":
      if (hasWholeQuads) return `  let values = ${name}[row * (inputs / 4u) + quad];`;
      return `  let start = row * inputs;
  let values = vec4<f32>(${[0, 1, 2, 3].map((j) => `${name}[start + min(4u * quad + ${j}u, inputs - 1u)]`).join(", ")});`;
    case "f16":
      if (hasWholeQuads && isNativeHalf === true) {
        return `  let values = vec4<f32>(${name}[row * (inputs / 4u) + quad]);`;
      }
      return `${pairText(name, hasWholeQuads)}
  let values = vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));`;
    case "bf16":
      return `${pairText(name, hasWholeQuads)}
  let values = bitcast<vec4<f32>>(
    vec4<u32>(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));`;
    case "q8":
      return `${groupText(8)}
  let codes = vec4<i32>(bitcast<i32>(${name}[start + quad])) << vec4<u32>(24u, 16u, 8u, 0u);
${scaleText(name)}
  let values = vec4<f32>(codes >> vec4<u32>(24u)) * scale;`;
    case "q4s":
      return `${groupText(4)}
${nibbleText(name)}
${scaleText(name)}
  let values = (vec4<f32>(nibbles) - 8.0) * scale;`;
    case "q4m":
      return `${groupText(4, true)}
${nibbleText(name)}
  let scales = unpack2x16float(${name}[scalesAt + group]);
  let values = vec4<f32>(nibbles) * scales.x + scales.y;`;
  }
}

/** The two words of a quad of 16-bit floats. */
function pairText(name: string, hasWholeQuads: boolean): string {
  if (hasWholeQuads) return `  let words = ${name}[row * (inputs / 4u) + quad];`;
  return `  let rowWords = (inputs + 1u) / 2u;
  let start = row * rowWords;
  let words = vec2<u32>(${name}[start + 2u * quad], ${name}[start + min(2u * quad + 1u, rowWords - 1u)]);`;
}

/** Where the row, its scales and the quad's group are. */
function groupText(codeWordsPerGroup: number, hasMinimum = false): string {
  return `  let groups = (inputs + 31u) / 32u;
  let codeWords = groups * ${codeWordsPerGroup}u;
  let start = row * (codeWords + ${hasMinimum ? "groups" : "(groups + 1u) / 2u"});
  let scalesAt = start + codeWords;
  let group = quad / 8u;`;
}

function nibbleText(name: string): string {
  return `  let word = ${name}[start + quad / 2u] >> (16u * (quad & 1u));
  let nibbles = (vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);`;
}

function scaleText(name: string): string {
  return `  let scales = unpack2x16float(${name}[scalesAt + group / 2u]);
  let scale = select(scales.x, scales.y, (group & 1u) == 1u);`;
}
