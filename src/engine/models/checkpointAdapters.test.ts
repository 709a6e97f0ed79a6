import { beforeEach, describe, expect, it } from "vitest";
import { readPeftAdapter, writePeftAdapter } from "../adapters/peft.ts";
import { createRandom } from "../data/random.ts";
import type { NamedArray } from "../files/safetensors.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { readGolden } from "../testing/fixtures.ts";
import { computeGolden, readGoldenModel, worstDifference } from "../testing/goldenModels.ts";
import { fromCheckpointAdapters, toCheckpointAdapters } from "./checkpointAdapters.ts";
import type { ModelConfig } from "./config.ts";
import { expectedShapes } from "./parameterNames.ts";

const FILE = "adapter_model.safetensors";
const TOLERANCE = 1e-4;
const SAME = 1e-5;

/** Random adapters of rank 2 on the decoder's linears whose names end in one of `targets`. */
function randomAdapters(config: ModelConfig, targets: readonly string[]): Map<string, NamedArray> {
  const random = createRandom(1);
  const arrays = new Map<string, NamedArray>();
  const draw = (shape: number[]) => ({
    shape,
    values: Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.3 * random.gaussian()),
  });
  for (const [name, [outputs = 0, inputs = 0]] of expectedShapes(config)) {
    const module = /^model\.layers\.(.+)\.weight$/.exec(name)?.[1];
    if (module === undefined || !targets.some((target) => module.endsWith(target))) continue;
    arrays.set(`model.layers.${module}.lora_A.weight`, draw([2, inputs]));
    arrays.set(`model.layers.${module}.lora_B.weight`, draw([outputs, 2]));
  }
  return arrays;
}

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe.each(["gpt2", "gpt_neox"])("adapters of %s", (name) => {
  it("that PEFT wrote compute what PEFT does", async () => {
    const opened = await readGoldenModel(name);
    const { arrays, scale } = readPeftAdapter({
      weights: await readGolden(`${name}/adapter_model.safetensors`),
      config: await readGolden(`${name}/adapter_config.json`),
    });
    const adapters = { arrays: fromCheckpointAdapters(opened.config, arrays, FILE), scale };
    const { logits } = await computeGolden(opened, { adapters });
    const expected = opened.golden.adaptedLogits?.flat() ?? [];
    expect(expected.length).toBeGreaterThan(0);
    expect(worstDifference(logits, expected)).toBeLessThanOrEqual(TOLERANCE);
    expect(worstDifference(logits, opened.golden.logits.flat())).toBeGreaterThan(0.1);
  });

  it.each([[["q_proj", "v_proj"]], [["k_proj", "o_proj"]], [["down_proj"]], [["_proj"]]])(
    "on %j are the same after the way through PEFT's files",
    async (targets) => {
      const opened = await readGoldenModel(name);
      const arrays = randomAdapters(opened.config, targets);
      const written = toCheckpointAdapters(opened.config, arrays, 6);
      expect(written.alpha / written.rank).toBe(3);
      const [weights, config] = writePeftAdapter(written.arrays, { ...written, baseModel: "base" });
      const again = readPeftAdapter({ weights: weights!.bytes, config: config!.bytes });
      const adapters = {
        arrays: fromCheckpointAdapters(opened.config, again.arrays, FILE),
        scale: again.scale,
      };
      const [before, after] = [
        await computeGolden(opened, { adapters: { arrays, scale: 3 } }),
        await computeGolden(opened, { adapters }),
      ];
      expect(worstDifference(after.logits, [...before.logits])).toBeLessThanOrEqual(SAME);
    },
  );
});

describe("adapters in a checkpoint's names", () => {
  it("stay as they are where the checkpoint has the decoder's modules", async () => {
    const { config } = await readGoldenModel("llama-llama3");
    const arrays = randomAdapters(config, ["q_proj", "down_proj"]);
    expect(toCheckpointAdapters(config, arrays, 4)).toEqual({
      arrays,
      rank: 2,
      alpha: 4,
      targetModules: ["down_proj", "q_proj"],
      hasTransposedLinears: false,
      layers: config.layers,
    });
  });

  it("name a fused linear once, with the ranks of its parts together", async () => {
    const { config } = await readGoldenModel("gpt2");
    const arrays = randomAdapters(config, ["0.self_attn.q_proj", "0.self_attn.v_proj", "0.mlp.down_proj"]);
    const written = toCheckpointAdapters(config, arrays, 4);
    expect(written).toMatchObject({ rank: 4, alpha: 8, targetModules: ["attn.c_attn", "mlp.c_proj"] });
    expect([...written.arrays].map(([module, { shape }]) => [module, shape])).toEqual([
      ["transformer.h.0.attn.c_attn.lora_A.weight", [4, 24]],
      ["transformer.h.0.attn.c_attn.lora_B.weight", [72, 4]],
      ["transformer.h.0.mlp.c_proj.lora_A.weight", [4, 96]],
      ["transformer.h.0.mlp.c_proj.lora_B.weight", [24, 4]],
    ]);
  });

  it("refuses a module that the model does not have", async () => {
    const { config } = await readGoldenModel("gpt2");
    const arrays = randomAdapters(config, ["q_proj"]);
    expect(() => fromCheckpointAdapters(config, arrays, FILE)).toThrow(
      '"model.layers.0.self_attn.q_proj" is not a linear of a gpt2 layer',
    );
  });
});
