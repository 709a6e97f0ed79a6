import { describe, expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import { readSafetensors, writeSafetensors, type NamedArray } from "../files/safetensors.ts";
import { readPeftAdapter } from "../adapters/peft.ts";
import type { ModelConfig } from "../models/config.ts";
import type { HostAdapter } from "../models/hostAdapter.ts";
import { expectedShapes } from "../models/parameterNames.ts";
import { readGoldenModel } from "../testing/goldenModels.ts";
import { tinyConfig } from "../testing/tinyModel.ts";
import { readRewardModel, saveRewardModel, type RewardModelCard } from "./rewardFiles.ts";
import type { RewardModel } from "./rewardModel.ts";

const card: RewardModelCard = {
  label: "Kind (reward model)",
  model: "story",
  quality: {
    data: "Kind endings",
    trainPairs: 640,
    heldoutPairs: 160,
    accuracy: 0.9,
    low: 0.84,
    high: 0.94,
    calibration: [{ stated: 0.8, observed: 0.9, pairs: 160 }],
    calibrationError: 0.1,
  },
};

/** Random adapters on the linears whose names end in one of `targets`. */
function randomReward(config: ModelConfig, targets: readonly string[]): RewardModel {
  const random = createRandom(1);
  const draw = (length: number) => Float32Array.from({ length }, () => random.gaussian());
  const adapter = new Map<string, HostAdapter>();
  for (const [name, [outputs = 0, inputs = 0]] of expectedShapes(config)) {
    const module = /^(model\.layers\..+)\.weight$/.exec(name)?.[1];
    if (module === undefined || !targets.some((target) => module.endsWith(target))) continue;
    adapter.set(module, { a: draw(2 * inputs), b: draw(2 * outputs), rank: 2, inputs, outputs });
  }
  return { adapter, alpha: 3, rank: 2, head: draw(config.hiddenSize) };
}

const reward = randomReward(tinyConfig, ["q_proj", "down_proj"]);
const saved = () =>
  new Map(saveRewardModel(reward, card, { config: tinyConfig }).map(({ name, bytes }) => [name, bytes]));
const filesOf = (map: ReadonlyMap<string, Uint8Array>) => [...map].map(([name, bytes]) => ({ name, bytes }));
const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decoded = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
const read = (map: ReadonlyMap<string, Uint8Array>) => readRewardModel(filesOf(map), { config: tinyConfig });

/** The files with some fields of one of its JSON files changed. */
function changed(name: string, changes: Record<string, unknown>): Map<string, Uint8Array> {
  const files = saved();
  return files.set(name, encoded({ ...decoded(files.get(name)!), ...changes }));
}

function withQuality(changes: Record<string, unknown>): Map<string, Uint8Array> {
  return changed("quality.json", { quality: { ...card.quality, ...changes } });
}

function withTensors(change: (tensors: Map<string, NamedArray>) => void): Map<string, Uint8Array> {
  const name = "adapter_model.safetensors";
  const files = saved();
  const tensors = new Map(readSafetensors(files.get(name)!, name));
  change(tensors);
  return files.set(name, writeSafetensors(tensors));
}

describe("a reward model's files", () => {
  it("are what PEFT writes of a sequence classifier", () => {
    const files = saved();
    expect([...files.keys()].sort()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
      "quality.json",
    ]);
    expect(decoded(files.get("adapter_config.json")!)).toMatchObject({
      peft_type: "LORA",
      task_type: "SEQ_CLS",
      modules_to_save: ["score"],
      r: 2,
      lora_alpha: 3,
      base_model_name_or_path: "story",
    });
    const tensors = readSafetensors(files.get("adapter_model.safetensors")!, "adapter_model.safetensors");
    expect(tensors.get("base_model.model.score.weight")).toEqual({ shape: [1, 16], values: reward.head });
    expect(tensors.get("base_model.model.model.layers.1.mlp.down_proj.lora_A.weight")?.shape).toEqual([
      2, 24,
    ]);
  });

  it("give the same reward model and card back, in a folder and from a blob as well", async () => {
    expect(await read(saved())).toEqual({ reward, card });
    const inFolder = [...saved()].map(([name, bytes]) => ({
      name: `mine/${name}`,
      bytes: new Blob([bytes.slice()]),
    }));
    expect(await readRewardModel(inFolder, { config: tinyConfig })).toEqual({ reward, card });
  });

  it.each(["gpt2", "gpt_neox"])(
    "give the function back where the checkpoint has fused linears, as %s",
    async (name) => {
      const { config } = await readGoldenModel(name);
      const own = randomReward(config, ["q_proj", "v_proj", "o_proj"]);
      const again = await readRewardModel(saveRewardModel(own, card, { config }), { config });
      expect(again.reward.head).toEqual(own.head);
      const scale = again.reward.alpha / again.reward.rank;
      for (const [module, { a, b, inputs, outputs }] of own.adapter) {
        const found = again.reward.adapter.get(module)!;
        for (let place = 0; place < inputs * outputs; place += 7) {
          const [row, column] = [Math.floor(place / inputs), place % inputs];
          const sum = (rank: number, up: Float32Array, down: Float32Array) =>
            Array.from({ length: rank }, (_, i) => up[row * rank + i]! * down[i * inputs + column]!).reduce(
              (total, each) => total + each,
              0,
            );
          expect(scale * sum(found.rank, found.b, found.a)).toBeCloseTo(1.5 * sum(2, b, a), 4);
        }
      }
    },
  );

  it("take the scales of patterns into the factors", async () => {
    const { reward: found } = await read(changed("adapter_config.json", { alpha_pattern: { down_proj: 6 } }));
    const name = "model.layers.0.mlp.down_proj";
    expect(found.alpha / found.rank).toBe(1.5);
    expect(found.adapter.get(name)!.b).toEqual(reward.adapter.get(name)!.b.map((value) => 2 * value));
    expect(found.adapter.get("model.layers.0.self_attn.q_proj")).toEqual(
      reward.adapter.get("model.layers.0.self_attn.q_proj"),
    );
  });

  it("need no card, and PEFT's own names of what is saved whole are read", async () => {
    const files = changed("adapter_config.json", { modules_to_save: ["classifier", "score"] });
    files.delete("quality.json");
    expect((await read(files)).card).toEqual({ label: "", model: "story", quality: null });
    expect((await read(changed("quality.json", { quality: null }))).card.quality).toBeNull();
  });

  it("are no adapter that a model could write with", () => {
    const files = saved();
    const [weights, config] = ["adapter_model.safetensors", "adapter_config.json"].map((name) =>
      files.get(name)!,
    );
    expect(() => readPeftAdapter({ weights: weights!, config: config! })).toThrow(
      'modules_to_save is ["score"], expected nothing',
    );
  });
});

describe("a file that is refused", () => {
  const without = (name: string) => {
    const files = saved();
    files.delete(name);
    return files;
  };

  it.each([
    ["adapter_model.safetensors: the file is missing", without("adapter_model.safetensors")],
    ["adapter_config.json: the file is missing", without("adapter_config.json")],
    [
      'adapter_config.json: task_type is "CAUSAL_LM", expected "SEQ_CLS"',
      changed("adapter_config.json", { task_type: "CAUSAL_LM" }),
    ],
    [
      'modules_to_save is null, expected ["score"]',
      changed("adapter_config.json", { modules_to_save: null }),
    ],
    [
      'modules_to_save is ["score","lm_head"], expected ["score"]',
      changed("adapter_config.json", { modules_to_save: ["score", "lm_head"] }),
    ],
    [
      '"score.weight" is missing, expected [1, 16]',
      withTensors((tensors) => tensors.delete("base_model.model.score.weight")),
    ],
    [
      '"score.weight" is [2, 16], expected [1, 16]',
      withTensors((tensors) =>
        tensors.set("base_model.model.score.weight", { shape: [2, 16], values: new Float32Array(32) }),
      ),
    ],
    [
      "is not a LoRA parameter",
      withTensors((tensors) =>
        tensors.set("base_model.model.other.weight", { shape: [1], values: new Float32Array(1) }),
      ),
    ],
    [
      "quality.json: the file is null, expected a JSON object",
      saved().set("quality.json", new Uint8Array([1])),
    ],
    ["quality.json: the file has 1048577 bytes", saved().set("quality.json", new Uint8Array(2 ** 20 + 1))],
    ["label is 3, expected a text of at most 200 characters", changed("quality.json", { label: 3 })],
    ["model is missing, expected a text", changed("quality.json", { model: undefined })],
    ["quality is [], expected a JSON object", changed("quality.json", { quality: [] })],
    ["quality.accuracy is 1.5, expected a number from 0 to 1", withQuality({ accuracy: 1.5 })],
    ["quality.heldoutPairs is -1, expected a whole number", withQuality({ heldoutPairs: -1 })],
    ["quality.calibration is {}, expected a list", withQuality({ calibration: {} })],
    ["quality.calibration is [0,0,0", withQuality({ calibration: new Array<number>(101).fill(0) })],
    ["quality.calibration[0] is 4, expected a JSON object", withQuality({ calibration: [4] })],
    [
      "quality.calibration[0].observed is missing, expected a number",
      withQuality({ calibration: [{ stated: 0.5, pairs: 1 }] }),
    ],
  ])("says %s", async (message, files) => {
    await expect(read(files)).rejects.toThrow(message);
  });

  it("is one for a model of another width", async () => {
    const config = { ...tinyConfig, hiddenSize: 32, intermediateSize: 48 };
    await expect(readRewardModel(filesOf(saved()), { config })).rejects.toThrow(
      'the adapter of "model.layers.0.mlp.down_proj" maps 24 → 16, this model\'s linear 48 → 32',
    );
  });
});
