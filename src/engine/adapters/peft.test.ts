import { describe, expect, it } from "vitest";
import { FileFormatError } from "../files/fileFormatError.ts";
import { readSafetensors, writeSafetensors, type NamedArray } from "../files/safetensors.ts";
import { readPeftAdapter, readPeftArrays, writePeftAdapter, type AdapterArrays } from "./peft.ts";

const RANK = 2;
const settings = { rank: RANK, alpha: 4, baseModel: "prefscope/story" };

function array(shape: number[]): NamedArray {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Float32Array.from({ length: count }, (_, i) => i / 8) };
}

function adapter(layers: readonly number[] = [0, 1]): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  for (const layer of layers) {
    for (const module of ["self_attn.q_proj", "mlp.down_proj"]) {
      arrays.set(`model.layers.${layer}.${module}.lora_A.weight`, array([RANK, 6]));
      arrays.set(`model.layers.${layer}.${module}.lora_B.weight`, array([4, RANK]));
    }
  }
  return arrays;
}

function filesOf(arrays: AdapterArrays, changes: Record<string, unknown> = {}) {
  const [weights, config] = writePeftAdapter(arrays, settings);
  if (!weights || !config) throw new Error("two files were expected");
  const json: object = JSON.parse(new TextDecoder().decode(config.bytes));
  return {
    weights: weights.bytes,
    config: new TextEncoder().encode(JSON.stringify({ ...json, ...changes })),
  };
}

describe("PEFT adapters", () => {
  it("have exactly the keys that PEFT looks for: targets × layers × two factors", () => {
    const [weights, config] = writePeftAdapter(adapter(), settings);
    expect([weights?.name, config?.name]).toEqual(["adapter_model.safetensors", "adapter_config.json"]);
    const keys = [...readSafetensors(weights?.bytes ?? new Uint8Array(), "adapter").keys()];
    const expected = ["0", "1"].flatMap((layer) =>
      ["mlp.down_proj", "self_attn.q_proj"].flatMap((module) =>
        ["A", "B"].map((factor) => `base_model.model.model.layers.${layer}.${module}.lora_${factor}.weight`),
      ),
    );
    expect(keys).toEqual(expected);
    expect(JSON.parse(new TextDecoder().decode(config?.bytes))).toEqual({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      base_model_name_or_path: "prefscope/story",
      revision: null,
      r: 2,
      lora_alpha: 4,
      lora_dropout: 0,
      target_modules: ["down_proj", "q_proj"],
      bias: "none",
      fan_in_fan_out: false,
      inference_mode: true,
      init_lora_weights: true,
      use_rslora: false,
      use_dora: false,
      modules_to_save: null,
      layers_to_transform: null,
      layers_pattern: null,
      rank_pattern: {},
      alpha_pattern: {},
    });
  });

  it("come back as they were written", () => {
    const arrays = adapter();
    const read = readPeftAdapter(filesOf(arrays));
    expect(read).toMatchObject({ ...settings, scale: 2, targetModules: ["down_proj", "q_proj"] });
    expect(new Map(read.arrays)).toEqual(arrays);
    expect(readPeftAdapter(filesOf(arrays, { use_rslora: true })).scale).toBeCloseTo(4 / Math.SQRT2, 12);
  });

  it.each([[[1]], [[2, 3]], [[0, 2]]])("on the layers %j alone name them and come back", (layers) => {
    const arrays = adapter(layers);
    const files = filesOf(arrays);
    const config: unknown = JSON.parse(new TextDecoder().decode(files.config));
    // PEFT takes the number before the module's name for the layer's unless it is given a pattern.
    expect(config).toMatchObject({ layers_to_transform: layers, layers_pattern: null });
    expect(new Map(readPeftAdapter(files).arrays)).toEqual(arrays);
  });

  it("may have ranks and scales by the ends of their modules' names, the first that fits", () => {
    const arrays = adapter();
    for (const layer of [0, 1]) {
      arrays.set(`model.layers.${layer}.mlp.down_proj.lora_A.weight`, array([3, 6]));
      arrays.set(`model.layers.${layer}.mlp.down_proj.lora_B.weight`, array([4, 3]));
    }
    const patterns = {
      rank_pattern: { "mlp.down_proj": 3 },
      alpha_pattern: { "layers\\.1\\..*": 12, down_proj: 6, proj: 100 },
    };
    const [weights] = [
      writeSafetensors(new Map([...arrays].map(([name, each]) => [`base_model.model.${name}`, each]))),
    ];
    const { config } = filesOf(adapter(), patterns);
    const read = readPeftAdapter({ weights, config });
    expect(read.scaleOf("model.layers.0.self_attn.q_proj")).toBe(4 / 2);
    expect(read.scaleOf("model.layers.0.mlp.down_proj")).toBe(6 / 3);
    expect(read.scaleOf("model.layers.1.self_attn.q_proj")).toBe(12 / 2);
    expect(read.scaleOf("model.layers.1.mlp.down_proj")).toBe(12 / 3);
    const stabilised = readPeftAdapter({
      weights,
      config: filesOf(adapter(), { ...patterns, use_rslora: true }).config,
    });
    expect(stabilised.scaleOf("model.layers.1.mlp.down_proj")).toBeCloseTo(12 / Math.sqrt(3), 12);
    expect(() => readPeftAdapter({ weights, config: filesOf(adapter()).config })).toThrow("have rank 3");
  });

  it("on one layer may give its number without a list, and on all layers every number", () => {
    expect(readPeftAdapter(filesOf(adapter([3]), { layers_to_transform: 3 })).arrays.size).toBe(4);
    expect(readPeftAdapter(filesOf(adapter(), { layers_to_transform: [1, 0] })).arrays.size).toBe(8);
    expect(readPeftAdapter(filesOf(adapter([1]), { layers_to_transform: null })).arrays.size).toBe(4);
  });

  it("on the last layers of another architecture find the number in its names", () => {
    const arrays = new Map([
      ["transformer.h.11.attn.c_attn.lora_A.weight", array([RANK, 6])],
      ["transformer.h.11.attn.c_attn.lora_B.weight", array([4, RANK])],
    ]);
    const config: unknown = JSON.parse(new TextDecoder().decode(filesOf(arrays).config));
    expect(config).toMatchObject({ layers_to_transform: [11], target_modules: ["c_attn"] });
  });

  it("on a module in some of the layers only are refused, because PEFT would adapt it in all", () => {
    const arrays = adapter([1, 2]);
    for (const factor of ["A", "B"]) arrays.delete(`model.layers.2.mlp.down_proj.lora_${factor}.weight`);
    expect(() => writePeftAdapter(arrays, settings)).toThrow(
      '"model.layers.1.mlp.down_proj" is adapted, but not the same in layer 2',
    );
  });

  it.each([
    [{ peft_type: "LOHA" }, 'peft_type is "LOHA", expected "LORA"'],
    [{ bias: "all" }, 'bias is "all"'],
    [{ use_dora: true }, "use_dora is true"],
    [{ modules_to_save: ["lm_head"] }, "modules_to_save"],
    [
      { rank_pattern: { q_proj: 4 } },
      'the rank of "model.layers.0.self_attn.q_proj" is 4, its parameters have rank 2',
    ],
    [{ rank_pattern: { "(a+)+": 4 } }, "rank_pattern"],
    [{ rank_pattern: { "a*b*c*d*e": 4 } }, "expected plain module names"],
    [{ rank_pattern: { q_proj: 0.5 } }, 'not 0.5 for "q_proj"'],
    [{ alpha_pattern: [3] }, "alpha_pattern is [3], expected an object of numbers"],
    [{ lora_bias: true }, "lora_bias is true"],
    [{ init_lora_weights: "pissa_niter_4" }, "convert it to plain LoRA"],
    [{ target_modules: ["q_proj"] }, 'the parameters adapt "model.layers.0.mlp.down_proj"'],
    [{ layers_to_transform: [1] }, "layers_to_transform is [1], expected [0, 1]"],
    [{ layers_to_transform: [0, 1, 2] }, "expected [0, 1], the layers of the parameters"],
    [{ layers_to_transform: 0 }, "layers_to_transform is [0], expected [0, 1]"],
    [{ r: 8 }, "r is 8, expected 2"],
    [{ lora_alpha: 0 }, "lora_alpha is 0"],
    [{ base_model_name_or_path: 5 }, "base_model_name_or_path is 5"],
  ])("are refused by name: %j", (changes, words) => {
    const files = filesOf(adapter(), changes);
    expect(() => readPeftAdapter(files)).toThrow(FileFormatError);
    expect(() => readPeftAdapter(files)).toThrow(words);
  });

  it("are refused when a factor is missing, misnamed or of another rank", () => {
    const write = (change: (arrays: Map<string, NamedArray>) => void) => {
      const arrays = adapter();
      change(arrays);
      return () => writePeftAdapter(arrays, settings);
    };
    const name = "model.layers.0.mlp.down_proj.lora_B.weight";
    expect(write((arrays) => arrays.delete(name))).toThrow(`has no "${name}"`);
    expect(write((arrays) => arrays.set(name, array([4, 3])))).toThrow(
      "[4, 3], expected two axes and rank 2",
    );
    expect(write((arrays) => arrays.set("model.embed_tokens.lora_embedding_A", array([2, 4])))).toThrow(
      '"model.embed_tokens.lora_embedding_A" is not a LoRA parameter but an adapter of an embedding',
    );
    const magnitude = "model.layers.0.mlp.down_proj.lora_magnitude_vector.weight";
    expect(write((arrays) => arrays.set(magnitude, array([4])))).toThrow("but DoRA's");
    expect(write((arrays) => arrays.set("lm_head.weight", array([1])))).toThrow("not a LoRA parameter");
    expect(write((arrays) => arrays.clear())).toThrow("no adapter parameters");
    expect(() => writePeftAdapter(adapter(), { ...settings, rank: 8 })).toThrow("the rank is 2, expected 8");
    expect(() => readPeftArrays(writeSafetensors(adapter()), "adapter.safetensors")).toThrow(
      "does not begin with",
    );
    const config = new TextEncoder().encode("[]");
    expect(() => readPeftAdapter({ ...filesOf(adapter()), config })).toThrow("not a JSON object");
  });
});
