import { beforeEach, describe, expect, it } from "vitest";
import { standOn, sumAdapters } from "../adapters/standing.ts";
import { openSafetensors, readSafetensors, writeSafetensors } from "../files/safetensors.ts";
import { openShards } from "../files/safetensorsShards.ts";
import type { StoredTensor, StoredTensors } from "../files/storedTensors.ts";
import { halfToFloat } from "../kernels/weightLayout/half.ts";
import { openCheckpoint } from "../models/checkpoint.ts";
import { uploadModel } from "../models/loadModel.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { readGoldenModel } from "../testing/goldenModels.ts";
import { createTinyModel, tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { loraModules } from "../training/config.ts";
import { randomHostAdapter, referenceLogits, sumOfTwo, worstOf } from "../training/standing.testing.ts";
import { mergedTensors, type ModelChange } from "./mergedTensors.ts";
import { safetensorsFolder, type StreamedFile } from "./safetensorsFolder.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

const nothing: ModelChange = { sum: new Map(), replaced: new Map() };

async function written({ chunks, bytes }: StreamedFile): Promise<Uint8Array> {
  const made = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of chunks()) {
    made.set(chunk, at);
    at += chunk.length;
  }
  expect(at).toBe(bytes);
  return made;
}

async function onlyFile(files: readonly StreamedFile[]): Promise<Uint8Array> {
  expect(files.map(({ name }) => name)).toEqual(["model.safetensors"]);
  return written(files[0]!);
}

const tinyBase = (changes = {}) =>
  openSafetensors(writeSafetensors(tinyArrays(changes)), "model.safetensors");

/** The tensors as if their file had another type. */
function stored(base: StoredTensors, type: StoredTensor["type"]): StoredTensors {
  return new Map([...base].map(([name, tensor]) => [name, { ...tensor, type }]));
}

describe("a merged model", () => {
  it("computes what the model does with the adapters on it", async () => {
    const { model } = createTinyModel();
    const sum = sumOfTwo(model);
    const stood = standOn(model, sum);
    const merged = mergedTensors(tinyConfig, await tinyBase(), { ...nothing, sum });
    const file = readSafetensors(await onlyFile(safetensorsFolder(merged)), "model.safetensors");
    const again = uploadModel(tinyConfig, openCheckpoint(tinyConfig, file, "model.safetensors"));
    const expected = await referenceLogits(stood.model);
    expect(worstOf(await referenceLogits(again.model), expected)).toBeLessThanOrEqual(1e-4);
    expect(worstOf(await referenceLogits(model), expected)).toBeGreaterThan(0.1);
  });

  it.each(["gpt2", "gpt_neox", "qwen3", "gemma2"])(
    "of %s has its changes where the checkpoint keeps its linears",
    async (name) => {
      const { config, stored: arrays } = await readGoldenModel(name);
      const open = (from: typeof arrays) => uploadModel(config, openCheckpoint(config, from, name)).model;
      const model = open(arrays);
      const targets = loraModules.filter((target) =>
        [...model.base.keys()].some((key) => key.includes(target)),
      );
      const modules = randomHostAdapter(model, { seed: 5, rank: 2, targets });
      const sum = sumAdapters([{ modules, scaleOf: () => 0.5 }]);
      const base = await openSafetensors(writeSafetensors(arrays), name);
      const merged = mergedTensors(config, base, { ...nothing, sum });
      const file = readSafetensors(await onlyFile(safetensorsFolder(merged)), name);
      const expected = await referenceLogits(standOn(model, sum).model);
      expect(worstOf(await referenceLogits(open(file)), expected)).toBeLessThanOrEqual(1e-4);
      expect(worstOf(await referenceLogits(model), expected)).toBeGreaterThan(0.01);
    },
  );

  it("leaves what no adapter is on as it is, to the byte, and a tied head out", async () => {
    const arrays = tinyArrays({ hasTiedEmbeddings: true });
    arrays.set("lm_head.weight", arrays.get("model.embed_tokens.weight")!);
    const base = await openSafetensors(writeSafetensors(arrays), "model.safetensors");
    const merged = mergedTensors({ ...tinyConfig, hasTiedEmbeddings: true }, base, nothing);
    expect(merged.has("lm_head.weight")).toBe(false);
    for (const [name, { read }] of merged) expect(await read(), name).toEqual(await base.get(name)?.read());
  });

  it.each(["F16", "BF16"] as const)("is cast once to %s where its file has that", async (type) => {
    const sum = sumOfTwo(createTinyModel().model);
    const base = stored(await tinyBase(), type);
    const merged = mergedTensors(tinyConfig, base, { ...nothing, sum });
    const name = "model.layers.1.mlp.down_proj.weight";
    const { values, read, bytes, type: written } = merged.get(name)!;
    const [exact, data] = [await values(), await read()];
    expect([written, bytes, data.length]).toEqual([type, 2 * exact.length, 2 * exact.length]);
    const alone = safetensorsFolder(new Map([[name, merged.get(name)!]]));
    const again = await openSafetensors(await onlyFile(alone), "model.safetensors");
    const rounded = await again.get(name)!.values();
    // Half a step: 11 and 8 bits of precision.
    const step = type === "F16" ? 2 ** -11 : 2 ** -8;
    exact.forEach((value, at) =>
      expect(Math.abs(rounded[at]! - value)).toBeLessThanOrEqual(Math.abs(value) * step + 1e-7),
    );
  });

  it("of a base in blocks is F16 of what they stand for", async () => {
    const [some, other] = ["model.norm.weight", "model.layers.0.mlp.up_proj.weight"];
    const base = new Map(await tinyBase());
    base.set(other, { ...base.get(other)!, type: "Q8_0" });
    const merged = mergedTensors(tinyConfig, base, nothing);
    expect(new Set([...merged.values()].map(({ type }) => type))).toEqual(new Set(["F16"]));
    const bytes = await merged.get(some)!.read();
    const first = halfToFloat(new DataView(bytes.buffer).getUint16(0, true));
    expect(first).toBeCloseTo((await base.get(some)!.values())[0]!, 3);
    const values = async () => new Float32Array(16).fill(7e4);
    base.set(some, { ...base.get(some)!, values });
    await expect(mergedTensors(tinyConfig, base, nothing).get(some)!.read()).rejects.toThrow(
      "holds 70000, which",
    );
  });

  it("takes trained weights in place of the base's, and names what is missing", async () => {
    const base = await tinyBase();
    const values = new Float32Array(16).fill(2);
    const replaced = new Map([["model.norm.weight", { shape: [16], values }]]);
    const merged = mergedTensors(tinyConfig, base, { ...nothing, replaced });
    expect(await merged.get("model.norm.weight")!.values()).toEqual(values);
    const cut = new Map([...base].filter(([name]) => name !== "model.norm.weight"));
    expect(() => mergedTensors(tinyConfig, cut, nothing)).toThrow('"model.norm.weight" is missing');
  });

  it("lies in shards with an index where it is large", async () => {
    const base = await tinyBase();
    const merged = mergedTensors(tinyConfig, base, nothing);
    const files = safetensorsFolder(merged, 4000);
    expect(files.length).toBeGreaterThan(3);
    expect(files[0]?.name).toBe(`model-00001-of-0000${files.length - 1}.safetensors`);
    const bytes = new Map<string, Uint8Array>();
    for (const file of files) bytes.set(file.name, await written(file));
    const again = await openShards(bytes.get("model.safetensors.index.json")!, async (name) =>
      bytes.get(name),
    );
    expect([...again.keys()].toSorted()).toEqual([...merged.keys()].toSorted());
    for (const [name, { values }] of again)
      expect(await values(), name).toEqual(await base.get(name)!.values());
  });
});
