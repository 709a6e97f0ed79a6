import { beforeEach, describe, expect, it } from "vitest";
import { fitAdapter } from "../engine/adapters/fitAdapter.ts";
import { readPeftAdapter } from "../engine/adapters/peft.ts";
import { standOn, sumAdapters } from "../engine/adapters/standing.ts";
import { allBytes, sizeOf, type FileBytes } from "../engine/files/fileBytes.ts";
import { openSafetensors, readSafetensors } from "../engine/files/safetensors.ts";
import { openZip } from "../engine/files/zip.ts";
import { openCheckpoint } from "../engine/models/checkpoint.ts";
import type { Model } from "../engine/models/decoder.ts";
import { openGguf } from "../engine/models/gguf/openGguf.ts";
import { loadModel, uploadModel } from "../engine/models/loadModel.ts";
import { openModel } from "../engine/models/modelSource.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel, tinyConfig } from "../engine/testing/tinyModel.ts";
import { referenceLogits, sumOfTwo, worstOf } from "../engine/training/standing.testing.ts";
import { follow, lastOf, tinyRun } from "../engine/training/tinyRun.testing.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { adapterOf, exportModel, type ExportedRun, type ExportSources } from "./exporting.ts";
import { tinyModelFiles } from "./tinyStudio.testing.ts";

const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

async function sourcesOf(model: Model, run: ExportedRun | null): Promise<ExportSources> {
  const files = new Map(tinyModelFiles().map(({ name, bytes }) => [name, bytes]));
  const tensors = await openSafetensors(files.get("model.safetensors")!, "model.safetensors");
  return {
    owner: { id: "hub:someone/Tiny-Model@0123", model },
    base: () =>
      Promise.resolve({
        tensors,
        tokenizer: {
          tokenizerJson: parsed(files.get("tokenizer.json")!),
          tokenizerConfig: parsed(files.get("tokenizer_config.json")!),
        },
        configJson: parsed(files.get("config.json")!),
      }),
    run,
    standing: model.standing === undefined ? [] : [{ id: "adapter:1", label: "kind `one`", scale: 0.5 }],
    license: "mit",
    weights: "keep",
    store: memoryStore(),
  };
}

/** A run of three large steps, so that it has gone somewhere. */
async function trained(model: Model, changes: Partial<RunConfig> = {}): Promise<ExportedRun> {
  const run = tinyRun(model, { learningRate: 0.05, ...changes });
  const tensors = lastOf(await follow(run));
  return {
    config: run.config,
    checkpoint: { runId: "run", step: 3, activeMs: 0, tensors, rounds: null },
    data: { label: "pairs", trainPairs: 8, heldoutPairs: 4 },
    before: { "eval_rewards/margins": 0 },
    after: { "eval_rewards/margins": 1.234567, eval_loss: 0.5 },
  };
}

const namesOf = (files: readonly { readonly name: string }[]) => files.map(({ name }) => name);

async function bytesOf(
  files: readonly { name: string; bytes: FileBytes }[],
  name: string,
): Promise<Uint8Array> {
  const file = files.find((each) => each.name === name);
  if (file === undefined) throw new Error(`No ${name} among ${namesOf(files).join(", ")}`);
  return allBytes(file.bytes);
}

/** Logits of a fresh model with an exported adapter on it. */
async function logitsWith(files: readonly { name: string; bytes: FileBytes }[]): Promise<Float32Array> {
  const adapter = readPeftAdapter({
    weights: await bytesOf(files, "adapter_model.safetensors"),
    config: await bytesOf(files, "adapter_config.json"),
  });
  const { model, dispose } = createTinyModel();
  const stood = standOn(model, sumAdapters([fitAdapter(tinyConfig, adapter)]));
  const logits = await referenceLogits(stood.model);
  stood.dispose();
  dispose();
  return logits;
}

async function logitsOf(file: Uint8Array): Promise<Float32Array> {
  const arrays = readSafetensors(file, "model.safetensors");
  const { model, dispose } = uploadModel(tinyConfig, openCheckpoint(tinyConfig, arrays, "model.safetensors"));
  const logits = await referenceLogits(model);
  dispose();
  return logits;
}

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("what leaves the studio", () => {
  it("is an adapter that gives a fresh model the same logits, with all that goes with it", async () => {
    const { model } = createTinyModel();
    const run = await trained(model);
    const sources = await sourcesOf(model, run);
    const files = await exportModel({ kind: "adapter", isZip: false }, sources);
    expect(namesOf(files)).toEqual([
      "adapter_model.safetensors",
      "adapter_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "README.md",
      "training_args.json",
    ]);
    expect(parsed(await bytesOf(files, "adapter_config.json"))).toMatchObject({
      base_model_name_or_path: "someone/Tiny-Model",
      r: 2,
    });
    expect(parsed(await bytesOf(files, "training_args.json"))).toEqual(run.config);
    const merged = await exportModel({ kind: "merged", isZip: false }, sources);
    const [alone, together] = [
      await logitsWith(files),
      await logitsOf(await bytesOf(merged, "model.safetensors")),
    ];
    expect(worstOf(together, alone)).toBeLessThanOrEqual(1e-4);
    expect(worstOf(alone, await referenceLogits(model))).toBeGreaterThan(0.01);
    expect(namesOf(merged)).toEqual([
      "model.safetensors",
      "config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "README.md",
      "training_args.json",
    ]);
    expect(parsed(await bytesOf(merged, "config.json"))).toMatchObject({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      torch_dtype: "float32",
      hidden_size: tinyConfig.hiddenSize,
    });
  });

  it("writes a config.json that transformers takes: caps with a decimal point, and one type", async () => {
    const { model } = createTinyModel();
    const sources = await sourcesOf(model, await trained(model));
    const { configJson, ...others } = await sources.base();
    const own = { ...(configJson as object), final_logit_softcapping: 30, dtype: "bfloat16" };
    const base = () => Promise.resolve({ ...others, configJson: own });
    const merged = await exportModel({ kind: "merged", isZip: false }, { ...sources, base });
    const text = new TextDecoder().decode(await bytesOf(merged, "config.json"));
    expect(text).toContain('"final_logit_softcapping": 30.0,');
    expect(text).not.toContain('"dtype"');
    expect(JSON.parse(text)).toMatchObject({ torch_dtype: "float32", final_logit_softcapping: 30 });
  });

  it("is the sum that stands on the model where nothing was trained, within 1e-5", async () => {
    const { model } = createTinyModel();
    const stood = standOn(model, sumOfTwo(model));
    const files = await exportModel({ kind: "adapter", isZip: false }, await sourcesOf(stood.model, null));
    const expected = await referenceLogits(stood.model);
    expect(worstOf(await logitsWith(files), expected)).toBeLessThanOrEqual(1e-5);
    const card = new TextDecoder().decode(await bytesOf(files, "README.md"));
    expect(card).toContain("the sum of adapters `kind 'one'` × 0.5.");
    expect(namesOf(files)).not.toContain("training_args.json");
  });

  it("is the whole of a run that went on from what stood on the model", async () => {
    const { model } = createTinyModel();
    const stood = standOn(model, sumOfTwo(model));
    const run = await trained(stood.model, { loraRank: 5, learningRate: 0 });
    const files = await exportModel({ kind: "adapter", isZip: false }, await sourcesOf(stood.model, run));
    // With a rate of 0 the run is where it started.
    expect(worstOf(await logitsWith(files), await referenceLogits(stood.model))).toBeLessThanOrEqual(1e-5);
  });

  it("is all weights of a run that trained them, and never an adapter of it", async () => {
    const { model } = createTinyModel();
    const run = await trained(model, { tuning: "full", learningRate: 1e-3 });
    const sources = await sourcesOf(model, run);
    const files = await exportModel({ kind: "merged", isZip: false }, sources);
    const arrays = readSafetensors(await bytesOf(files, "model.safetensors"), "model.safetensors");
    const name = "model.layers.1.mlp.down_proj.weight";
    expect(arrays.get(name)?.values).toEqual(run.checkpoint.tensors[name]);
    await expect(exportModel({ kind: "adapter", isZip: false }, sources)).rejects.toThrow(
      "save the merged model",
    );
  });

  it("is refused where there is no adapter", async () => {
    const { model } = createTinyModel();
    expect(() => adapterOf({ owner: { id: "story", model }, run: null })).toThrow("train at least one step");
  });

  it("is a zip archive that opens again, made through a lasting store", async () => {
    const { model } = createTinyModel();
    const store = { ...memoryStore(), isLasting: true };
    await store.write("leaving/old", Uint8Array.of(1));
    const sources = { ...(await sourcesOf(model, null)), store };
    const files = await exportModel({ kind: "merged", isZip: true }, sources);
    expect(namesOf(files)).toEqual(["Tiny-Model-merged.zip"]);
    expect(await store.list()).not.toContain("leaving/old");
    const archive = await openZip(files[0]!.bytes, "zip");
    expect(archive.names).toContain("config.json");
    const weights = await allBytes(await archive.open("model.safetensors"));
    expect(await logitsOf(weights)).toEqual(await referenceLogits(model));
  });

  it("goes piece by piece into a store that lasts, and leaves nothing half when that is full", async () => {
    const { model } = createTinyModel();
    const written: number[] = [];
    const memory = memoryStore();
    const store = {
      ...memory,
      isLasting: true,
      append: (name: string, bytes: Uint8Array<ArrayBuffer>, at: number) => {
        written.push(at);
        return memory.append(name, bytes, at);
      },
    };
    const sources = await sourcesOf(model, null);
    const base = await sources.base();
    // As large as what does not stay in memory.
    const wide = { ...tinyConfig, vocabularySize: 10_000 };
    const tensors = new Map(base.tensors);
    for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
      const values = new Float32Array(10_000 * tinyConfig.hiddenSize).fill(1);
      tensors.set(name, {
        ...tensors.get(name)!,
        shape: [10_000, tinyConfig.hiddenSize],
        values: async () => values,
        read: async () => new Uint8Array(values.buffer),
      });
    }
    const large = {
      ...sources,
      store,
      owner: { id: "m", model: { ...model, config: wide } },
      base: () => Promise.resolve({ ...base, tensors }),
    };
    const files = await exportModel({ kind: "merged", isZip: false }, large);
    expect(files[0]?.bytes).toBeInstanceOf(Blob);
    expect(sizeOf(files[0]!.bytes)).toBeGreaterThan(1_280_000);
    expect(written.length).toBeGreaterThan(10);
    const full = {
      ...store,
      append: () => Promise.reject(new Error("Browser storage is full (1.9 of 2.0 GB).")),
    };
    await expect(exportModel({ kind: "merged", isZip: false }, { ...large, store: full })).rejects.toThrow(
      "is full",
    );
    expect((await memory.sizes()).size).toBe(0);
  });

  it("is a GGUF file with the adapters in it", async () => {
    const { model } = createTinyModel();
    const stood = standOn(model, sumOfTwo(model));
    const sources = await sourcesOf(stood.model, null);
    const files = await exportModel({ kind: "gguf-f16", isZip: false }, sources);
    expect(namesOf(files)).toEqual(["Tiny-Model-f16.gguf", "README.md"]);
    const opened = await openGguf(files[0]!.bytes, "model.gguf");
    expect(opened.description).toMatchObject({ license: "mit" });
    const arrays = new Map(
      await Promise.all(
        [...opened.tensors].map(
          async ([name, { shape, values }]) => [name, { shape, values: await values() }] as const,
        ),
      ),
    );
    const again = uploadModel(opened.config, openCheckpoint(opened.config, arrays, "model.gguf"));
    const [found, expected] = [await referenceLogits(again.model), await referenceLogits(stood.model)];
    const scale = Math.max(...expected.map(Math.abs));
    expect(worstOf(found, expected) / scale).toBeLessThan(5e-3);
    expect(worstOf(await referenceLogits(model), expected) / scale).toBeGreaterThan(0.05);
  });

  it("is a whole folder again where the base is a GGUF file", async () => {
    const { model } = createTinyModel();
    const sources = await sourcesOf(model, null);
    const [gguf] = await exportModel({ kind: "gguf-f16", isZip: false }, sources);
    const base = await openModel([gguf!]);
    const opened = await loadModel([gguf!]);
    const stood = standOn(opened.model, sumOfTwo(opened.model));
    const own = { ...sources, owner: { id: "local", model: stood.model }, base: () => Promise.resolve(base) };
    const files = await exportModel({ kind: "merged", isZip: false }, own);
    expect(namesOf(files)).toContain("tokenizer.json");
    expect(parsed(await bytesOf(files, "config.json"))).toMatchObject({ torch_dtype: "float16" });
    const again = await loadModel(files);
    const [found, expected] = [await referenceLogits(again.model), await referenceLogits(stood.model)];
    expect(worstOf(found, expected) / Math.max(...expected.map(Math.abs))).toBeLessThan(5e-3);
    expect(again.tokenizer.encode("the kind", { addSpecialTokens: true })).toEqual(
      opened.tokenizer.encode("the kind", { addSpecialTokens: true }),
    );
  });

  it("has a card with a header, figures, every setting and how to load it", async () => {
    const { model } = createTinyModel();
    const sources = { ...(await sourcesOf(model, await trained(model))), weights: "q4" } as const;
    const files = await exportModel({ kind: "adapter", isZip: false }, sources);
    const card = new TextDecoder().decode(await bytesOf(files, "README.md"));
    const [, header = ""] = card.split("---\n");
    expect(header.split("\n")).toEqual([
      'license: "mit"',
      'base_model: "someone/Tiny-Model"',
      "library_name: peft",
      "pipeline_tag: text-generation",
      "tags:",
      '  - "prefscope"',
      '  - "lora"',
      '  - "dpo"',
      "",
    ]);
    expect(card).toContain("3 optimizer steps on 8 preference pairs of `pairs`, 4 held out.");
    expect(card).toContain("the base lay on the device in q4.");
    expect(card).not.toContain("dequantised");
    const merged = await exportModel({ kind: "merged", isZip: false }, sources);
    const mergedCard = new TextDecoder().decode(await bytesOf(merged, "README.md"));
    expect(mergedCard).toContain("merged into its dequantised weights and written in 16 bits.");
    expect(parsed(await bytesOf(merged, "config.json"))).toMatchObject({ torch_dtype: "float16" });
    expect(card).toContain("| rewards/margins | 0 | 1.2346 |");
    expect(card).toContain("| loss |  | 0.5 |");
    for (const name of Object.keys(tinyRun(model).config)) expect(card).toContain(`| ${name} | `);
    expect(card).toContain('PeftModel.from_pretrained(model, "path/to/this/folder")');
  });
});
