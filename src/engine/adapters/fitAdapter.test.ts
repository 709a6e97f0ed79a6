import { describe, expect, it } from "vitest";
import type { NamedArray } from "../files/safetensors.ts";
import { readGoldenModel } from "../testing/goldenModels.ts";
import { toCheckpointAdapters } from "../models/checkpointAdapters.ts";
import { tinyConfig } from "../testing/tinyModel.ts";
import { fitAdapter } from "./fitAdapter.ts";
import { readPeftAdapter, writePeftAdapter, type PeftAdapter } from "./peft.ts";

const sizes: Record<string, [number, number]> = {
  "self_attn.q_proj": [16, 16],
  "mlp.down_proj": [24, 16],
};

/** An adapter of rank 1 with alpha 3 on two linears of the tiny model's layers. */
function adapter(
  change: (arrays: Map<string, NamedArray>) => void = () => undefined,
  layers = [0, 1],
): PeftAdapter {
  const arrays = new Map<string, NamedArray>();
  for (const layer of layers) {
    for (const [module, [inputs, outputs]] of Object.entries(sizes)) {
      const name = `model.layers.${layer}.${module}`;
      arrays.set(`${name}.lora_A.weight`, { shape: [1, inputs], values: new Float32Array(inputs).fill(1) });
      arrays.set(`${name}.lora_B.weight`, { shape: [outputs, 1], values: new Float32Array(outputs).fill(2) });
    }
  }
  const [, config] = writePeftAdapter(arrays, { rank: 1, alpha: 3, baseModel: "tiny" });
  change(arrays);
  const [weights] = writePeftAdapter(arrays, { rank: 1, alpha: 3, baseModel: "tiny" });
  return readPeftAdapter({ weights: weights!.bytes, config: config!.bytes });
}

describe("an adapter file held against a model", () => {
  it("gives its modules with their scale", () => {
    const { modules, scaleOf } = fitAdapter(tinyConfig, adapter());
    expect([...modules.keys()].toSorted()).toEqual(
      [0, 1].flatMap((layer) => [
        `model.layers.${layer}.mlp.down_proj`,
        `model.layers.${layer}.self_attn.q_proj`,
      ]),
    );
    expect(modules.get("model.layers.1.mlp.down_proj")).toMatchObject({ rank: 1, inputs: 24, outputs: 16 });
    expect(scaleOf("model.layers.1.mlp.down_proj")).toBe(3);
  });

  it("may be on some of the layers where it says so", () => {
    expect(fitAdapter(tinyConfig, adapter(undefined, [1])).modules.size).toBe(2);
  });

  it("that is on the first layer alone says so when it is written for a model of two", () => {
    const written = toCheckpointAdapters(tinyConfig, adapter(undefined, [0]).arrays, 3);
    const [weights, config] = writePeftAdapter(written.arrays, { ...written, baseModel: "tiny" });
    const again = readPeftAdapter({ weights: weights!.bytes, config: config!.bytes });
    expect(again.config.layers).toEqual([0]);
    expect(fitAdapter(tinyConfig, again).modules.size).toBe(2);
    const both = toCheckpointAdapters(tinyConfig, adapter().arrays, 3);
    const [, all] = writePeftAdapter(both.arrays, { ...both, baseModel: "tiny" });
    expect(new TextDecoder().decode(all!.bytes)).toContain('"layers_to_transform": null');
  });

  it("is refused for another number of layers, with the module", () => {
    expect(() => fitAdapter(tinyConfig, adapter(undefined, [0, 1, 2]))).toThrow(
      `it adapts "model.layers.2.mlp.down_proj", which is no linear of this model's 2 layers`,
    );
    expect(() => fitAdapter({ ...tinyConfig, layers: 3 }, adapter())).toThrow(
      'target_modules means "model.layers.2.self_attn.q_proj" too',
    );
  });

  it("is refused for other sizes, with both", () => {
    expect(() => fitAdapter({ ...tinyConfig, intermediateSize: 32 }, adapter())).toThrow(
      `the adapter of "model.layers.0.mlp.down_proj" maps 24 → 16, this model's linear 32 → 16`,
    );
  });

  it("is refused where a module is missing in all layers, which PEFT would not tell", () => {
    const lacking = adapter((arrays) => {
      for (const name of arrays.keys()) if (name.includes("q_proj")) arrays.delete(name);
    });
    expect(() => fitAdapter(tinyConfig, lacking)).toThrow(
      'target_modules means "model.layers.0.self_attn.q_proj"',
    );
  });

  it("is refused on the head", () => {
    const arrays = new Map([
      ["lm_head.lora_A.weight", { shape: [1, 16], values: new Float32Array(16) }],
      ["lm_head.lora_B.weight", { shape: [41, 1], values: new Float32Array(41) }],
    ]);
    const [weights, config] = writePeftAdapter(arrays, { rank: 1, alpha: 3, baseModel: "tiny" });
    const onHead = readPeftAdapter({ weights: weights!.bytes, config: config!.bytes });
    expect(() => fitAdapter(tinyConfig, onHead)).toThrow('it adapts "lm_head", which is no linear');
  });

  it("gives the parts of a fused linear its scale", async () => {
    const { config } = await readGoldenModel("gpt2");
    const width = config.hiddenSize;
    const name = (layer: number) => `transformer.h.${layer}.attn.c_attn`;
    const layers = Array.from({ length: config.layers }, (_, layer) => layer);
    const arrays = new Map<string, NamedArray>(
      layers.flatMap((layer): [string, NamedArray][] => [
        [`${name(layer)}.lora_A.weight`, { shape: [1, width], values: new Float32Array(width) }],
        [`${name(layer)}.lora_B.weight`, { shape: [3 * width, 1], values: new Float32Array(3 * width) }],
      ]),
    );
    const [weights, json] = writePeftAdapter(arrays, { rank: 1, alpha: 5, baseModel: "gpt2" });
    const fitted = fitAdapter(config, readPeftAdapter({ weights: weights!.bytes, config: json!.bytes }));
    expect(fitted.modules.size).toBe(3 * config.layers);
    expect(fitted.scaleOf("model.layers.0.self_attn.v_proj")).toBe(5);
  });
});
