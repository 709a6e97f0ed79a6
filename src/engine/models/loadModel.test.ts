import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, it } from "vitest";
import { allBytes } from "../files/fileBytes.ts";
import { writeZip } from "../files/npz.testing.ts";
import { writeSafetensors, type NamedArray } from "../files/safetensors.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { plainFile } from "../testing/storedTensors.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { loadModel, uploadModel, type LoadedModel, type ModelFile } from "./loadModel.ts";
import { writeModelGguf } from "./gguf/writeModel.ts";
import { openModel } from "./modelSource.ts";
import { tensorsOfWeight } from "../kernels/weightLayout/packedWeight.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const layers = 6;
const arrays = tinyArrays({ layers });

const settings: readonly ModelFile[] = [
  {
    name: "config.json",
    bytes: encode({
      model_type: "llama",
      hidden_size: tinyConfig.hiddenSize,
      intermediate_size: tinyConfig.intermediateSize,
      num_hidden_layers: layers,
      num_attention_heads: tinyConfig.heads,
      num_key_value_heads: tinyConfig.keyValueHeads,
      vocab_size: tinyConfig.vocabularySize,
      max_position_embeddings: tinyConfig.maxPositions,
      rms_norm_eps: tinyConfig.rmsNormEpsilon,
      tie_word_embeddings: false,
    }),
  },
  {
    name: "tokenizer.json",
    bytes: encode({
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
    }),
  },
];
const weights = writeSafetensors(arrays) as Uint8Array<ArrayBuffer>;
const single: readonly ModelFile[] = [...settings, { name: "model.safetensors", bytes: weights }];

/** The model in two files with their index. */
function sharded(): ModelFile[] {
  const entries = [...arrays];
  const parts = [entries.slice(0, 20), entries.slice(20)];
  const name = (part: number) => `model-0000${part + 1}-of-00002.safetensors`;
  const map = parts.flatMap((part, index) => part.map(([tensor]) => [tensor, name(index)]));
  return [
    ...settings,
    { name: "model.safetensors.index.json", bytes: encode({ weight_map: Object.fromEntries(map) }) },
    ...parts.map((part, index) => ({ name: name(index), bytes: writeSafetensors(new Map(part)) })),
  ];
}

async function zipped(
  files: readonly ModelFile[],
  folder: string,
  isDeflated: boolean,
): Promise<ModelFile[]> {
  const members = await Promise.all(
    files.map(async ({ name, bytes }) => {
      const own = (await allBytes(bytes)) as Uint8Array<ArrayBuffer>;
      return [`${folder}${name}`, own] as const;
    }),
  );
  const noise = [["__MACOSX/model/._config.json", new Uint8Array(3)], ["model/onnx/config.json", encode(0)]] as const; // prettier-ignore
  const archive = await writeZip(new Map([...noise, ...members]), isDeflated);
  return [{ name: "tiny.zip", bytes: new Blob([archive]) }];
}

/** The model in one GGUF file. */
async function gguf(): Promise<ModelFile[]> {
  const { config, tensors, tokenizer: tokenizerFiles } = await openModel(single);
  const { chunks } = writeModelGguf({
    config,
    tensors,
    tokenizerFiles,
    weights: "F32",
    description: { name: "tiny" },
  });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks()) parts.push(chunk);
  return [{ name: "tiny.gguf", bytes: new Blob(parts) }];
}

async function expectModel({ model }: LoadedModel): Promise<void> {
  expect([...model.base.keys()]).toEqual([...arrays.keys()]);
  for (const [name, weight] of model.base) {
    const [values] = await Promise.all(tensorsOfWeight(weight).map(read));
    expect(values, name).toEqual(arrays.get(name)!.values);
  }
}

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("loadModel", () => {
  it.each<readonly [string, () => readonly ModelFile[] | Promise<ModelFile[]>]>([
    ["a folder", () => single],
    ["a folder inside others", () => single.map(({ name, bytes }) => ({ name: `a/b/${name}`, bytes }))],
    ["a file of weights of another name", () => [...settings, { name: "tiny.safetensors", bytes: weights }]],
    ["several files of weights", sharded],
    ["a stored archive", () => zipped(single, "model/", false)],
    ["a GGUF file", gguf],
    ["an archive of a GGUF file", async () => zipped(await gguf(), "", true)],
    ["a deflated archive of several files of weights", () => zipped(sharded(), "model/", true)],
  ])("reads %s", async (_, files) => {
    const before = memory().numTensors;
    const loaded = await loadModel(await files());
    await expectModel(loaded);
    loaded.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it.each<readonly [string, () => readonly ModelFile[], string]>([
    ["no configuration", () => single.slice(1), "config.json: it is not in the folder"],
    ["no weights", () => settings, "model.safetensors: it is not in the folder"],
    ["weights in several files and no index", () => sharded().filter(({ name }) => !name.endsWith("index.json")), "model.safetensors.index.json: it is not in the folder, which holds 2 files of weights"], // prettier-ignore
    ["a file of an index that is missing", () => sharded().slice(0, -1), "it names model-00002-of-00002.safetensors, which is not among the files"], // prettier-ignore
    ["two models", () => ["a/", "b/"].flatMap((folder) => single.map(({ name, bytes }) => ({ name: folder + name, bytes }))), "b/config.json: a second model beside a/config.json"], // prettier-ignore
  ])("refuses %s", async (_, files, words) => {
    await expect(loadModel(files())).rejects.toThrow(words);
  });
});

describe("a table of rotations", () => {
  it("is not made for more positions than are ever read, whatever config.json says", () => {
    // 2²⁶ positions of 8 values of 4 bytes are 2.1 GB.
    const endless = { ...tinyConfig, maxPositions: 2 ** 26, rotaryDims: 8 };
    expect(() => uploadModel(endless, arrays)).toThrow(
      "The rotations of 67108864 positions take 2147 MB, at most 1074 MB are read at once here: lower max_position_embeddings",
    );
    expect(memory().numTensors).toBe(0);
  });
});

/** Reads between two looks at what is alive. */
const COLLECT_EVERY = 11;

/** What is alive of the bytes that were read of a file. */
class WatchedFile extends Blob {
  readonly ranges: (readonly [number, number])[] = [];
  peakBytes = 0;
  readonly #alive: WeakRef<ArrayBuffer>[] = [];
  readonly #collect: () => void;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    super([bytes]);
    setFlagsFromString("--expose-gc");
    this.#collect = runInNewContext("gc") as () => void;
  }

  override slice(start = 0, end = this.size): Blob {
    this.ranges.push([start, end]);
    const part = super.slice(start, end);
    const read = part.arrayBuffer.bind(part);
    part.arrayBuffer = async () => {
      const buffer = await read();
      this.#alive.push(new WeakRef(buffer));
      // Collecting is slow.
      if (this.ranges.length % COLLECT_EVERY > 0) return buffer;
      // What a weak reference was made of lives until the task ends.
      await new Promise((resolve) => setTimeout(resolve));
      this.#collect();
      const bytes = this.#alive.reduce((sum, each) => sum + (each.deref()?.byteLength ?? 0), 0);
      this.peakBytes = Math.max(this.peakBytes, bytes);
      return buffer;
    };
    return part;
  }
}

describe("what is read of a model's file", () => {
  const bytesOf = ({ values }: NamedArray) => values.byteLength;
  const total = [...arrays.values()].reduce((sum, array) => sum + bytesOf(array), 0);
  const largestGroup = Math.max(
    bytesOf(arrays.get("model.embed_tokens.weight")!),
    2 * bytesOf(arrays.get("model.layers.0.mlp.gate_proj.weight")!),
  );

  it.each(["keep", "q8"] as const)(
    "never lies in memory beyond one group of matrices (%s)",
    async (layout) => {
      const file = new WatchedFile(weights);
      const loaded = await loadModel([...settings, { name: "model.safetensors", bytes: file }], {
        weights: layout,
      });
      expect(total).toBeGreaterThan(8 * largestGroup);
      // Every tensor was read once.
      expect(file.ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(
        weights.length + 16,
      );
      const header = file.ranges[1]![1];
      expect(file.peakBytes).toBeLessThanOrEqual(largestGroup + header);
      loaded.dispose();
    },
  );

  it("is the header alone when a name or a shape is wrong", async () => {
    const name = "model.layers.5.mlp.down_proj.weight";
    const other = { shape: [24, 16], values: new Float32Array(24 * 16) };
    const file = new WatchedFile(plainFile(new Map(arrays).set(name, other), "F32"));
    await expect(loadModel([...settings, { name: "model.safetensors", bytes: file }])).rejects.toThrow(
      `"${name}" has shape [24, 16], config.json asks for [16, 24]`,
    );
    expect(file.ranges.length).toBe(2);
  });

  it("becomes 16-bit floats on the device where it has them", async () => {
    for (const [type, layout] of [
      ["F16", "f16"],
      ["BF16", "bf16"],
    ] as const) {
      // prettier-ignore
      const loaded = await loadModel([...settings, { name: "a.safetensors", bytes: plainFile(arrays, type) }]);
      expect(Object.keys(loaded.weights.bytesByLayout).toSorted()).toEqual([layout, "f32"].toSorted());
      expect(loaded.weights.rounding).toEqual([]);
      loaded.dispose();
    }
  });
});
