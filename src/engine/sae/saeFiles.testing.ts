/** A small autoencoder in every layout, for tests only. */
import { writeSafetensors } from "../files/safetensors.ts";
import { writeNpz } from "../files/npz.testing.ts";
import { randomValues } from "../tensor/testing.ts";
import type { SaeArrays, SaeFile } from "./layouts/layout.ts";

/** Sizes of the small autoencoder. */
export const [inputSize, width] = [3, 5];

/** An array as files keep it. */
export interface StoredArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const shapes = {
  W_enc: [inputSize, width],
  b_enc: [width],
  W_dec: [width, inputSize],
  b_dec: [inputSize],
  threshold: [width],
} as const;

/** Names of its arrays. */
export type ArrayName = keyof typeof shapes;

/** Its arrays as they are published. */
export const published = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], seed) => [
    name,
    { shape, values: randomValues(seed + 1, [...shape]) },
  ]),
) as unknown as Readonly<Record<ArrayName, StoredArray>>;

/** The configuration that SAELens 6 writes beside them. */
export const saeLensConfig = {
  architecture: "jumprelu",
  d_in: inputSize,
  d_sae: width,
  dtype: "float32",
  apply_b_dec_to_input: false,
  normalize_activations: "none",
  reshape_activations: "none",
  metadata: { sae_lens_version: "6.0.0", hook_name: "blocks.2.hook_resid_post", model_name: "tiny" },
};

/** A JSON file. */
export function jsonFile(name: string, value: unknown): SaeFile {
  return { name, bytes: new TextEncoder().encode(JSON.stringify(value)) };
}

/** A safetensors file. */
export function weightsFile(name: string, arrays: Readonly<Record<string, StoredArray>>): SaeFile {
  return { name, bytes: writeSafetensors(new Map(Object.entries(arrays))) };
}

/** Files as SAELens keeps them. */
export function saeLensFiles(
  config: object = saeLensConfig,
  arrays: Readonly<Record<string, StoredArray>> = published,
): readonly SaeFile[] {
  return [jsonFile("cfg.json", config), weightsFile("sae_weights.safetensors", arrays)];
}

/** Files as Gemma Scope 1 keeps them, at a path. */
export async function archiveFiles(
  name: string,
  arrays: Parameters<typeof writeNpz>[0] = published,
): Promise<readonly SaeFile[]> {
  return [{ name, bytes: await writeNpz(arrays) }];
}

/** The published arrays under the names of Gemma Scope 2. */
export const publishedInSmall: Readonly<Record<string, StoredArray>> = {
  w_enc: published.W_enc,
  b_enc: published.b_enc,
  w_dec: published.W_dec,
  b_dec: published.b_dec,
  threshold: published.threshold,
};

/** What reading the published arrays gives where nothing is folded in. */
export const expectedArrays = {
  inputSize,
  width,
  encoder: Float32Array.from({ length: inputSize * width }, (_, at) => {
    const [feature, input] = [Math.floor(at / inputSize), at % inputSize];
    return published.W_enc.values[input * width + feature]!;
  }),
  bias: published.b_enc.values,
  threshold: published.threshold.values,
  decoder: published.W_dec.values,
  decoderBias: published.b_dec.values,
};

/** Activations [width] and reconstruction [inputSize] of one row, in plain float64 loops. */
export function codeOf(arrays: SaeArrays, row: ArrayLike<number>): { code: number[]; back: number[] } {
  const { encoder, bias, threshold, decoder, decoderBias } = arrays;
  const code = Array.from(bias, (start, feature) => {
    let pre = start;
    for (let i = 0; i < arrays.inputSize; i++) pre += row[i]! * encoder[feature * arrays.inputSize + i]!;
    return pre > Math.max(threshold[feature]!, 0) ? pre : 0;
  });
  const back = Array.from(decoderBias ?? [], (start, i) =>
    code.reduce((sum, value, feature) => sum + value * decoder![feature * arrays.inputSize + i]!, start),
  );
  return { code, back };
}
