import { describe, expect, it } from "vitest";
import { readSafetensors } from "../files/safetensors.ts";
import { checkFits } from "./checkFits.ts";
import { readSae } from "./readSae.ts";
import {
  expectedArrays,
  inputSize,
  published,
  saeLensConfig,
  saeLensFiles,
  width,
} from "./saeFiles.testing.ts";
import { saveSae } from "./saveSae.ts";

const read = (files: Parameters<typeof readSae>[0]) => readSae(files, { needsDecoder: true });

describe("saveSae", () => {
  it("writes names, shapes and configuration as SAELens 6 does", async () => {
    const [weights, config] = saveSae(await read(saeLensFiles()));
    expect([weights!.name, config!.name]).toEqual(["sae_weights.safetensors", "cfg.json"]);
    const tensors = readSafetensors(weights!.bytes, weights!.name);
    expect(Object.fromEntries(tensors)).toEqual(published);
    const written = JSON.parse(new TextDecoder().decode(config!.bytes)) as object;
    expect(written).toEqual({
      ...saeLensConfig,
      device: "cpu",
      metadata: { ...saeLensConfig.metadata, hook_head_index: null },
    });
  });

  it.each([
    ["as it was", {}],
    ["with the decoder's bias folded in", { apply_b_dec_to_input: true }],
  ])("is read again bit for bit %s", async (_, changes) => {
    const arrays = await read(saeLensFiles({ ...saeLensConfig, ...changes }));
    expect(await read(saveSae(arrays))).toEqual(arrays);
  });

  it("writes plain ReLUs as thresholds of 0, and a place as TransformerLens names it", async () => {
    const { threshold: _, ...rest } = published;
    const plain = await read(saeLensFiles({ ...saeLensConfig, architecture: "standard" }, rest));
    const saved = await read(saveSae({ ...plain, hook: "model.layers.2.output" }));
    expect(saved).toEqual({ ...plain, threshold: new Float32Array(width) });
    expect(saved.hook).toBe("blocks.2.hook_resid_post");
  });

  it("needs the decoder", async () => {
    const half = await readSae(saeLensFiles());
    expect(() => saveSae(half)).toThrow(RangeError);
  });
});

describe("checkFits", () => {
  const sae = { ...expectedArrays, layer: 2, hook: "blocks.2.hook_resid_post" };

  it("names both numbers of what does not fit", () => {
    checkFits(sae, { hiddenSize: inputSize, layers: 3 });
    expect(() => checkFits(sae, { hiddenSize: 288, layers: 3 })).toThrow(
      `reads rows of ${inputSize} numbers, and the model's stream has 288`,
    );
    expect(() => checkFits(sae, { hiddenSize: inputSize, layers: 2 })).toThrow(
      "after block 2, and the last block of the model's 2 is 1",
    );
  });
});
