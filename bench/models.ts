/** The models and pairs that the benchmark trains. */
import { readPairs } from "../src/engine/data/readPairs.ts";
import { createRandom } from "../src/engine/data/random.ts";
import { embeddedDatasets, embeddedModels } from "../src/engine/data/embedded.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { tokenizePairs } from "../src/engine/data/tokenizePairs.ts";
import { llamaOptions } from "../src/engine/models/architectures/llama.ts";
import { readModelConfig, type ModelConfig } from "../src/engine/models/config.ts";
import { loadModel, uploadModel, type ModelFile } from "../src/engine/models/loadModel.ts";
import type { Model } from "../src/engine/models/decoder.ts";
import { tinyArrays } from "../src/engine/testing/tinyModel.ts";
import { defaultConfig } from "../src/engine/training/config.ts";

/** A model to train; `open` puts it on the active device. */
export interface BenchModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly open: () => { readonly model: Model; readonly dispose: () => void };
  /** Enough pairs for batches that all differ. */
  readonly pairs: readonly TokenPair[];
  readonly batchPairs: number;
}

/** The small shape at which other training engines in the browser were counted. */
const toyConfig: ModelConfig = {
  ...llamaOptions(16),
  architecture: "llama",
  vocabularySize: 64,
  maxPositions: 32,
  hiddenSize: 32,
  intermediateSize: 128,
  layers: 2,
  heads: 2,
  keyValueHeads: 2,
  headDim: 16,
  rmsNormEpsilon: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: null,
  hasTiedEmbeddings: true,
  bosTokenId: 1,
  eosTokenIds: [2],
};

/** A model of the given shape with random weights. */
export function openRandom(config: ModelConfig): { model: Model; dispose: () => void } {
  return uploadModel(config, tinyArrays(config));
}

/** Pairs of random tokens; prompt and answer each fill half of the context. */
function toyPairs(count: number): TokenPair[] {
  const random = createRandom(1);
  const half = toyConfig.maxPositions / 2;
  const ids = () => Int32Array.from({ length: half }, () => random.integer(toyConfig.vocabularySize));
  return Array.from({ length: count }, (_, row) => ({ prompt: ids(), chosen: ids(), rejected: ids(), row }));
}

/** Vocabulary 64, time 32, hidden 32, 2 layers, 2 heads, batch 4. */
export function toyModel(): BenchModel {
  return {
    name: "toy shape",
    config: toyConfig,
    open: () => openRandom(toyConfig),
    pairs: toyPairs(4),
    batchPairs: 4,
  };
}

/** The model and the first preference set that come with the studio. */
export async function embeddedModel(): Promise<BenchModel> {
  const [known] = embeddedModels;
  const [dataset] = embeddedDatasets;
  if (known === undefined || dataset === undefined) throw new Error("Nothing is embedded.");
  const files: ModelFile[] = await Promise.all(
    known.files.map(async (name) => ({ name, bytes: await download(`/${known.folder}/${name}`) })),
  );
  const file = files.find(({ name }) => name === "config.json");
  const config = readModelConfig(JSON.parse(new TextDecoder().decode(file?.bytes)), "config.json");
  const { rows } = readPairs(await download(`/${dataset.files.train}`), dataset.files.train);
  const loaded = () => loadModel(files);
  return {
    name: "embedded model",
    config,
    open: loaded,
    pairs: tokenizeOnce(loaded, rows),
    batchPairs: defaultConfig.batchPairs,
  };
}

/** Tokens of all rows; the model is on the device only meanwhile. */
function tokenizeOnce(
  load: () => ReturnType<typeof loadModel>,
  rows: Parameters<typeof tokenizePairs>[0],
): readonly TokenPair[] {
  const { tokenizer, dispose } = load();
  dispose();
  return tokenizePairs(rows, { tokenizer, maxTokens: defaultConfig.maxTokens }).pairs;
}

async function download(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answers ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
