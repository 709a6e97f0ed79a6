import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runnerImport } from "vite";
import { projectRoot } from "./run.mjs";
import { fieldHelp, helpText, optionName, readTrainOptions } from "./trainOptions.mjs";

const definitions = {
  schema: {
    properties: {
      method: { type: "string" },
      secondMethod: { type: "string" },
      params: { type: "object" },
      steps: { type: "integer", minimum: 1, maximum: 100 },
      learningRate: { type: "number", minimum: 0, maximum: 1 },
      isShuffled: { type: "boolean" },
      schedule: { type: "string", enum: ["constant", "linear"] },
      loraTargets: { type: "array", items: { type: "string", enum: ["q_proj", "v_proj"] } },
      heldFeatures: { type: "array", items: { type: "integer", minimum: 0, maximum: 9 } },
      saes: { type: "array", items: { type: "string" } },
      adapters: { type: "array", items: { type: "object" } },
      dataColumns: { type: "object" },
      dataSteps: { type: "array", items: { oneOf: [] } },
    },
  },
  defaultConfig: { method: "dpo", params: { beta: 0.2 }, steps: 60, learningRate: 0.1, isShuffled: true },
  presets: [{ id: "copy", promise: "", config: { method: "sft", params: {}, steps: 5, learningRate: 0.1 } }],
  objectives: {
    sft: { id: "sft", parameters: [] },
    dpo: { id: "dpo", parameters: [{ key: "beta", default: 0.1 }] },
    simpo: {
      id: "simpo",
      parameters: [
        { key: "beta", default: 2 },
        { key: "gamma", default: 0.5 },
      ],
    },
  },
};

const read = (line) => readTrainOptions(line.split(" ").filter(Boolean), definitions);

describe("readTrainOptions", () => {
  it("gives the default configuration when nothing is said", () => {
    assert.deepEqual(read(""), { config: definitions.defaultConfig, jsonFile: undefined });
  });

  it("reads every kind of value, spaced or with an equals sign", () => {
    const line =
      "--steps 3 --learning-rate=1e-3 --is-shuffled false --schedule linear --lora-targets q_proj,v_proj";
    const { config, jsonFile } = read(`${line} --json out.json`);
    assert.equal(jsonFile, "out.json");
    assert.deepEqual(config, {
      method: "dpo",
      params: { beta: 0.2 },
      steps: 3,
      learningRate: 0.001,
      isShuffled: false,
      schedule: "linear",
      loraTargets: ["q_proj", "v_proj"],
    });
  });

  it("reads lists of numbers and of names", () => {
    const { config } = read("--held-features 3,5 --saes mine,story-l2");
    assert.deepEqual(config.heldFeatures, [3, 5]);
    assert.deepEqual(config.saes, ["mine", "story-l2"]);
    for (const wrong of ["3,10", "3,,5", "3,x", "1.5"])
      assert.throws(() => read(`--held-features ${wrong}`), {
        message: `--held-features is ${wrong}: give a list separated by commas, each a whole number from 0 to 9.`,
      });
  });

  it("reads columns and steps of a set as JSON", () => {
    const columns = '{"prompt":"question"}';
    const steps = '[{"kind":"relabel"}]';
    const { config } = readTrainOptions(["--data-columns", columns, `--data-steps=${steps}`], definitions);
    assert.deepEqual(config.dataColumns, { prompt: "question" });
    assert.deepEqual(config.dataSteps, [{ kind: "relabel" }]);
    for (const wrong of ["question", "[]", "null", "{"])
      assert.throws(() => read(`--data-columns ${wrong}`), {
        message: `--data-columns is ${wrong}: give an object of texts in JSON.`,
      });
    assert.throws(() => read("--data-steps {}"), {
      message: "--data-steps is {}: give a list in JSON.",
    });
  });

  it("has no option for what stands on a shelf that a fresh browser does not have", () => {
    assert.throws(() => read("--adapters []"), {
      message: "--adapters is not an option: see npm run train -- --help.",
    });
  });

  it("takes a method's own defaults when the method changes, and its knobs when they are given", () => {
    assert.deepEqual(read("--loss simpo --gamma 1").config.params, { beta: 2, gamma: 1 });
    assert.deepEqual(read("--loss sft").config.params, {});
    assert.deepEqual(read("--loss dpo").config.params, { beta: 0.2 });
  });

  it("reads a second method with its knobs, beside those of the first", () => {
    const { config } = read("--second-method simpo --second-gamma 1 --beta 0.3");
    assert.equal(config.secondMethod, "simpo");
    assert.deepEqual(config.params, { beta: 0.3, "second.beta": 2, "second.gamma": 1 });
    assert.deepEqual(read("--second-method dpo --loss sft").config.params, { "second.beta": 0.1 });
  });

  it("starts from a preset", () => {
    assert.equal(read("--preset copy").config.steps, 5);
    assert.equal(read("--preset copy --steps 6").config.steps, 6);
  });

  const mistakes = {
    "--steps 0": "--steps is 0: give a whole number from 1 to 100.",
    "--steps 1.5": "--steps is 1.5: give a whole number from 1 to 100.",
    "--steps many": "--steps is many: give a whole number from 1 to 100.",
    "--learning-rate NaN": "--learning-rate is NaN: give a number from 0 to 1.",
    "--is-shuffled maybe": "--is-shuffled is maybe: give true or false.",
    "--schedule wavy": "--schedule is wavy: give one of constant, linear.",
    "--lora-targets q_proj,x": "--lora-targets is q_proj,x: give some of q_proj,v_proj.",
    "--loss ppo": "--method is ppo: give one of sft, dpo, simpo.",
    "--gamma 1": "--gamma belongs to simpo, and the method is dpo.",
    "--second-method ppo": "--second-method is ppo: give one of sft, dpo, simpo.",
    "--second-gamma 1": "--second-gamma belongs to simpo, and there is no second method.",
    "--second-method dpo --second-gamma 1": "--second-gamma belongs to simpo, and the second method is dpo.",
    "--preset none": "--preset is none: give one of copy.",
    "--stepz 3": "--stepz is not an option: see npm run train -- --help.",
    "--params 3": "--params is not an option: see npm run train -- --help.",
    "--steps": "--steps needs a value after it.",
    60: '"60" is not an option: see npm run train -- --help.',
  };
  for (const [line, sentence] of Object.entries(mistakes))
    it(`refuses ${line}`, () => {
      assert.throws(() => read(line), { message: sentence });
    });
});

describe("the engine's own definitions", () => {
  const load = async (path) =>
    (await runnerImport(join(projectRoot, "src", "engine", path), { configFile: false, logLevel: "error" }))
      .module;

  /** Knobs are options of their own, and a fresh browser has no adapters on its shelf. */
  const optionsOf = (defaultConfig) =>
    Object.keys(defaultConfig).filter((field) => field !== "params" && field !== "adapters");

  it("have a line of help for every field of the configuration, and no other", async () => {
    const { defaultConfig } = await load("training/config.ts");
    const fields = optionsOf(defaultConfig);
    assert.deepEqual(Object.keys(fieldHelp).toSorted(), fields.toSorted());
  });

  it("share no name between fields and knobs", async () => {
    const { objectives } = await load("losses/index.ts");
    const { secondPrefix } = await load("losses/mix.ts");
    const fields = new Set(Object.keys(fieldHelp).map(optionName));
    const keys = Object.values(objectives).flatMap(({ parameters }) => parameters.map(({ key }) => key));
    for (const name of keys.flatMap((key) => [optionName(key), optionName(secondPrefix + key)]))
      assert.ok(!fields.has(name), name);
    assert.equal(optionName(`${secondPrefix}beta`), "--second-beta");
  });

  it("all appear in the help", async () => {
    const { toJSONSchema } = await import("zod/mini");
    const { runConfigSchema, defaultConfig } = await load("training/config.ts");
    const { presets } = await load("training/presets.ts");
    const { objectives } = await load("losses/index.ts");
    const schema = toJSONSchema(runConfigSchema);
    const text = helpText({ schema, defaultConfig, presets, objectives });
    for (const field of optionsOf(defaultConfig))
      assert.match(text, new RegExp(`^ {2}${optionName(field)}$`, "m"));
    for (const { parameters } of Object.values(objectives))
      for (const { key } of parameters) assert.match(text, new RegExp(`^ {2}${optionName(key)}$`, "m"));
  });
});
