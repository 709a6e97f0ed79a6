/** SmolLM2-135M-Instruct from its GGUF file, in Chromium, beside what Hugging Face's Python makes of it (tools/real). */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { commands } from "vitest/browser";
import { flatBatch } from "../engine/data/batch.ts";
import { generate } from "../engine/generation/generate.ts";
import { loadModel, type LoadedModel } from "../engine/models/loadModel.ts";
import { headLogits } from "../engine/models/headLogits.ts";
import { decoderLayer, embedTokens, scoredHidden } from "../engine/models/decoder.ts";
import { referenceWeights } from "../engine/models/weights.ts";
import { openDevice, type Device } from "../engine/tensor/device.ts";
import { dispose, read, tidy } from "../engine/tensor/run.ts";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { uploadBatch } from "../engine/training/deviceBatch.ts";
import { createSession } from "./session.ts";
import type { WorkerEvent } from "./protocol.ts";

declare module "vitest" {
  interface ProvidedContext {
    real: { readonly model: string; readonly folder: string; readonly pairs: string };
  }
}

interface Reference {
  readonly parameters: number;
  readonly texts: readonly { readonly text: string; readonly ids: number[] }[];
  readonly chats: readonly {
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly text: string;
    readonly ids: number[];
    readonly generated: number[];
    readonly generatedText: string;
  }[];
}

/** Of a dequantised reference run in float32, on the same weights. */
const LOGIT_TOLERANCE = 1e-3;
const MINUTES = 60_000;

const { model: file, folder, pairs } = inject("real");
const served = async (path: string) => (await fetch(`/@fs${path}`)).blob();
const figures: Record<string, string> = {};

let bytes: Blob;
let reference: Reference;

beforeAll(async () => {
  bytes = await served(file);
  reference = JSON.parse(await (await served(`${folder}/reference.json`)).text()) as Reference;
}, MINUTES);

afterAll(() => commands.writeFile(`${folder}/figures.json`, JSON.stringify(figures)));

const name = file.slice(file.lastIndexOf("/") + 1);

/** The logits of the token after the last one. */
async function lastLogits({ model }: LoadedModel, ids: readonly number[]): Promise<Float32Array> {
  const batch = uploadBatch(flatBatch([{ tokens: Int32Array.from([...ids, 0]), scoredFrom: ids.length }]));
  const weights = referenceWeights(model);
  let x = tidy(() => embedTokens(model, weights, batch.rows));
  for (let layer = 0; layer < model.config.layers; layer++) {
    const before = x;
    x = tidy(() => decoderLayer(model, weights, layer, { x: before, rows: batch.rows }));
    dispose(before);
  }
  const logits = tidy(() => headLogits(model, weights, scoredHidden(model, weights, x, batch.scored)));
  const values = (await read(logits)) as Float32Array;
  dispose([x, logits]);
  batch.dispose();
  return values;
}

describe("opened from its file", () => {
  let device: Device;
  let loaded: LoadedModel;

  beforeAll(async () => {
    device = await openDevice({ backend: "webgpu" });
    loaded = await loadModel([{ name, bytes }], { weights: "keep" });
    figures["file"] = `${name}, ${Math.round(bytes.size / 1e6)} MB`;
    figures["bytes on the device by layout"] = JSON.stringify(loaded.weights.bytesByLayout);
  }, 5 * MINUTES);

  afterAll(() => {
    loaded.dispose();
    device.close();
  });

  it("tokenises twenty texts and renders chats as Python does", () => {
    for (const { text, ids } of reference.texts) {
      expect(loaded.tokenizer.encode(text, { addSpecialTokens: false }), text).toEqual(ids);
    }
    for (const { messages, text, ids } of reference.chats) {
      const rendered = loaded.tokenizer.renderChat(messages, { addGenerationPrompt: true });
      expect(rendered).toBe(text);
      expect(loaded.tokenizer.encode(rendered, { addSpecialTokens: false })).toEqual(ids);
    }
    figures["texts tokenised alike"] = `${reference.texts.length} of ${reference.texts.length}`;
  });

  it("gives the same logits as the dequantised model", { timeout: 10 * MINUTES }, async () => {
    const worst: number[] = [];
    for (const [index, { ids }] of reference.chats.entries()) {
      const expected = new Float32Array(await (await served(`${folder}/logits-${index}.f32`)).arrayBuffer());
      const logits = await lastLogits(loaded, ids);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      worst.push(
        logits.reduce((most, value, id) => Math.max(most, Math.abs(value - expected[id]!)), 0) / largest,
      );
    }
    figures["largest relative difference of a logit"] = Math.max(...worst).toExponential(1);
    expect(Math.max(...worst)).toBeLessThan(LOGIT_TOLERANCE);
  });

  it("writes the same sentence", { timeout: 10 * MINUTES }, async () => {
    const [chat] = reference.chats;
    const { model, tokenizer } = loaded;
    const [ids = []] = await generate(model, referenceWeights(model), [Int32Array.from(chat!.ids)], {
      maxNewTokens: chat!.generated.length,
      temperature: 0,
      seed: 0,
      stopTokenIds: tokenizer.stopTokenIds,
    });
    figures["question"] = chat!.messages.at(-1)?.content ?? "";
    figures["answer"] = tokenizer.decode(ids).trim();
    const stop = chat!.generated.findIndex((id) => tokenizer.stopTokenIds.includes(id));
    const wanted = stop < 0 ? chat!.generated : chat!.generated.slice(0, stop);
    expect(ids).toEqual(wanted);
  });
});

it("takes three steps of LoRA-DPO from ln 2 on", { timeout: 60 * MINUTES }, async () => {
  const losses: number[] = [];
  let end = (_event: WorkerEvent): void => undefined;
  const ended = new Promise<WorkerEvent>((resolve) => (end = resolve));
  const session = createSession({
    emit: (event) => {
      if (event.type === "steps") losses.push(...event.steps.map(({ metrics }) => metrics["loss"] ?? NaN));
      if (event.type === "failed" || (event.type === "phase" && event.phase === "done")) end(event);
    },
    fetchFile: (path) => Promise.reject(new Error(path)),
  });
  await session.open({ backend: "webgpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: [{ name, bytes }], weights: "keep" });
  const config: RunConfig = {
    ...defaultConfig,
    model: "local",
    data: "local",
    params: { beta: 0.1 },
    learningRate: 1e-3,
    schedule: "constant",
    warmupSteps: 0,
    steps: 3,
    batchPairs: 1,
    maxTokens: 96,
    evalEvery: 0,
    evalPairs: 1,
    samplePrompts: 1,
    sampleTokens: 1,
    backend: "webgpu",
  };
  const { trainPairs, heldoutPairs } = await session.loadData({
    id: "local",
    objective: "",
    files: [{ name: "dpo_en_demo.json", bytes: await served(pairs) }],
    maxTokens: config.maxTokens,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  });
  // Longer prompts than that fill the context, and are left out with their reasons.
  expect(trainPairs + heldoutPairs).toBeGreaterThan(50);
  figures["pairs of dpo_en_demo.json that fit 96 tokens"] = String(trainPairs + heldoutPairs);
  await session.start({ runId: "real", config, resume: null, isStepping: false });
  expect((await ended).type).toBe("phase");
  figures["DPO losses"] = losses.map((loss) => loss.toFixed(5)).join(", ");
  expect(losses).toHaveLength(3);
  expect(losses[0]).toBeCloseTo(Math.LN2, 5);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(new Set(losses).size).toBe(3);
});
