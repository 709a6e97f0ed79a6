/** The fixture autoencoder against its reference, on whichever backend is open. */
import { expect } from "vitest";
import { flatBatch } from "../data/batch.ts";
import { featurePool } from "../kernels/featurePool/featurePool.ts";
import { decoderLayer, embedTokens } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import type { SaeFile } from "../sae/layouts/layout.ts";
import { loadSae, type SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { poolTables } from "../sae/poolTables.ts";
import { reconstruct } from "../sae/reconstruct.ts";
import { topFeatures } from "../sae/topFeatures.ts";
import { dispose, memory, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { readFixture, readFixtureText } from "./fixtures.ts";
import { openStories } from "./storiesModel.ts";

const SAE_FOLDER = "models/stories260K/sae_l2_512";

/** Largest difference to the float64 values, relative above 1, in 32-bit arithmetic. */
const TOLERANCE = 1e-3;

/** What an independent float64 implementation made of the fixture autoencoder. */
interface SaeReference {
  readonly layer: number;
  /** Begins with the start of the text. */
  readonly ids: readonly number[];
  /** Active features of every token. */
  readonly l0: readonly number[];
  /** Squared error of every token's reconstruction, and the square of the token's stream. */
  readonly recon_err: readonly number[];
  readonly resid_sq: readonly number[];
  /** [feature, activation], largest first; zeros may follow. */
  readonly last_token_top: readonly (readonly [number, number])[];
}

/** Reads what that implementation wrote. */
export async function readSaeReference(): Promise<SaeReference> {
  const text = await readFixtureText(`${SAE_FOLDER}/reference.json`);
  if (text === null) throw new Error("The fixture autoencoder's reference.json is missing.");
  return JSON.parse(text) as SaeReference;
}

/** Layouts that the fixture autoencoder is kept in. */
export type StoriesSaeLayout = "SAELens 6" | "Gemma Scope 1" | "Gemma Scope 2";

/** Files of each layout, and the folder that says what they do not. */
const layoutFiles: Readonly<
  Record<StoriesSaeLayout, { readonly folder: string; readonly names: readonly string[] }>
> = {
  "SAELens 6": { folder: "", names: ["cfg.json", "sae_weights.safetensors"] },
  "Gemma Scope 1": { folder: "layer_2/width_512/average_l0_12/", names: ["params.npz"] },
  "Gemma Scope 2": { folder: "", names: ["params.safetensors", "config.json"] },
};

/** The fixture autoencoder's files of a layout, under the paths they would be published with. */
export async function storiesSaeFiles(layout: StoriesSaeLayout): Promise<SaeFile[]> {
  const { folder, names } = layoutFiles[layout];
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFixture(`${SAE_FOLDER}/${name}`);
      if (bytes === null) throw new Error(`The fixture autoencoder's ${name} is missing.`);
      return { name: folder + name, bytes };
    }),
  );
}

/** The fixture autoencoder on the active device, with its decoder. */
export async function openStoriesSae(layout: StoriesSaeLayout = "SAELens 6"): Promise<SparseAutoencoder> {
  return loadSae(await storiesSaeFiles(layout), { needsDecoder: true });
}

function expectNear(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const far = expected.filter(
    (value, i) => !(Math.abs(value - actual[i]!) <= TOLERANCE * Math.max(1, Math.abs(value))),
  );
  expect(far, what).toEqual([]);
}

/** Sums of every row's values, each turned into a term. */
function rowSums(values: ArrayLike<number>, width: number, term: (value: number, place: number) => number) {
  const sums = Array.from({ length: values.length / width }, () => 0);
  Array.from(values).forEach((value, place) => (sums[Math.floor(place / width)]! += term(value, place)));
  return sums;
}

/** Activations, their number, reconstructions and the means over an answer, against the reference and one another. */
export async function checkStoriesSae(layout: StoriesSaeLayout): Promise<void> {
  const before = memory().numTensors;
  const [reference, { model, dispose: close }, sae] = await Promise.all([
    readSaeReference(),
    openStories(),
    openStoriesSae(layout),
  ]);
  expect([sae.layer, sae.inputSize]).toEqual([reference.layer, model.config.hiddenSize]);
  // The token after the last one is scored, so that every row belongs to the answer.
  const flat = flatBatch([{ tokens: Int32Array.from([...reference.ids, 0]), scoredFrom: 1 }]);
  const batch = uploadBatch(flat);
  const weights = referenceWeights(model);
  const rows = reference.ids.length;
  const [stream, activations, reconstruction] = tidy(() => {
    let x = embedTokens(model, weights, batch.rows);
    for (let layer = 0; layer <= sae.layer; layer++)
      x = decoderLayer(model, weights, layer, { x, rows: batch.rows });
    const { activations: codes, restored } = reconstruct(sae, x);
    return [x, codes, restored] as const;
  });
  const codes = await read(activations);
  const streams = (await read(stream)).subarray(0, sae.inputSize * rows);
  const back = await read(reconstruction);
  expect(rowSums(codes, sae.width, (code) => (code > 0 ? 1 : 0)).slice(0, rows)).toEqual(reference.l0);
  expectNear(
    rowSums(streams, sae.inputSize, (x) => x ** 2),
    reference.resid_sq,
    "streams",
  );
  const squares = rowSums(streams, sae.inputSize, (x, place) => (x - back[place]!) ** 2);
  expectNear(squares, reference.recon_err, "errors of reconstructions");
  checkTop(Float32Array.from(codes.subarray((rows - 1) * sae.width, rows * sae.width)), reference);
  await checkMeans({ sae, stream, codes, l0: reference.l0 }, poolTables(flat, reference.ids[0]!));
  dispose([stream, activations, reconstruction]);
  batch.dispose();
  sae.dispose();
  close();
  expect(memory().numTensors).toBe(before);
}

/** The largest activations of the last token. */
function checkTop(row: Float32Array, { last_token_top: listed }: SaeReference): void {
  const top = listed.filter(([, value]) => value > 0);
  expect([...topFeatures(row, listed.length)]).toEqual(top.map(([feature]) => feature));
  const expected = top.map(([, value]) => value);
  expectNear(
    top.map(([feature]) => row[feature]!),
    expected,
    "activations",
  );
}

/** The pooled features are the mean of the activations, without those of the first row. */
async function checkMeans(
  {
    sae,
    stream,
    codes,
    l0,
  }: { sae: SparseAutoencoder; stream: Tensor; codes: ArrayLike<number>; l0: readonly number[] },
  tables: ReturnType<typeof poolTables>,
): Promise<void> {
  const rows = l0.length;
  const scoredRows = tensor(tables.scoredRows, [rows]);
  const entryRanges = tensor(tables.entryRanges, [1, 2]);
  const { encoder, bias, threshold } = sae;
  const { pooled, activity } = featurePool({
    hidden: stream,
    scoredRows,
    entryRanges,
    encoder,
    bias,
    threshold,
  });
  const means = Array.from({ length: sae.width }, (_, feature) => {
    let sum = 0;
    for (let row = 1; row < rows; row++) sum += codes[row * sae.width + feature]!;
    return sum / rows;
  });
  expectNear(await read(pooled), means, "means");
  const active = [...(await read(activity))].reduce((sum, share) => sum + share, 0);
  expectNear([active], [l0.slice(1).reduce((sum, count) => sum + count, 0) / rows], "active features");
  dispose([scoredRows, entryRanges, pooled, activity]);
}
