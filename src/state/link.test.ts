import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { healthChecks } from "../engine/data/steps/dataStep.ts";
import type { JudgeSpec } from "../engine/judges/judgeSpec.ts";
import { baseWeights, loraModules, runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import { formatLink, knobsOf, objectiveFor, readLink } from "./link.ts";
import { testDescription } from "./testDescription.ts";

const description = testDescription;
const start = description.presets[0]!.config;

const integer = (min: number, max: number) => fc.integer({ min, max });
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value || 0);

const paramsOf = (method: string, secondMethod: string): fc.Arbitrary<Record<string, number>> =>
  fc.record(
    Object.fromEntries(
      knobsOf({ method, secondMethod }, description).map(({ key, spec: { minimum, maximum, choices } }) => [
        key,
        choices === undefined ? real(minimum, maximum) : integer(minimum, maximum),
      ]),
    ),
  );

const methodIds = description.objectives.map(({ id }) => id);

const someText = fc.string({ minLength: 1, maxLength: 9 });
const anyJudge: fc.Arbitrary<JudgeSpec> = fc.oneof(
  fc.record({ kind: fc.constant("program" as const), id: fc.constantFrom("kindEndings", "helpful") }),
  fc.record({
    kind: fc.constant("contains" as const),
    wanted: fc.array(someText, { maxLength: 2 }),
    avoided: fc.array(someText, { maxLength: 2 }),
  }),
  fc.record({ kind: fc.constantFrom("implicit" as const, "person" as const, "endpoint" as const) }),
);

const anyConfig: fc.Arbitrary<RunConfig> = fc
  .tuple(fc.constantFrom(...methodIds), fc.constantFrom("", ...methodIds))
  .chain(([method, secondMethod]) =>
    fc.record({
      model: fc.constantFrom(...description.models.map(({ id }) => id)),
      data: fc.constantFrom(...description.datasets.map(({ id }) => id)),
      objective: fc.constantFrom("helpful", "harmless"),
      method: fc.constant(method),
      params: paramsOf(method, secondMethod),
      baseWeights: fc.constantFrom(...baseWeights),
      adapters: fc.constant<RunConfig["adapters"]>([]),
      dataLayout: fc.constantFrom("", "hhRlhf"),
      dataColumns: fc.dictionary(fc.constantFrom("prompt", "chosen"), fc.string(), { noNullPrototype: true }),
      dataSteps: fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant("flip" as const), share: real(0, 1), seed: integer(0, 99) }),
          fc.record({ kind: fc.constant("drop" as const), check: fc.constantFrom(...healthChecks) }),
        ),
        { maxLength: 3 },
      ),
      heldFeatures: fc.array(integer(0, 16_777_215), { maxLength: 4 }),
      saes: fc.subarray(["story-l2", "mine", "7"]),
      sftWeight: real(0, 100),
      secondMethod: fc.constant(secondMethod),
      methodWeight: real(0, 100),
      secondWeight: real(0, 100),
      referenceMode: fc.constantFrom("cached" as const, "live" as const),
      tuning: fc.constantFrom("lora" as const, "full" as const),
      loraRank: integer(1, 128),
      loraAlpha: real(0.1, 512),
      loraDropout: real(0, 0.9),
      loraTargets: fc.subarray([...loraModules], { minLength: 1 }),
      learningRate: real(0, 1),
      weightDecay: real(0, 1),
      maxGradNorm: real(0, 1000),
      schedule: fc.constantFrom("constant" as const, "linear" as const, "cosine" as const),
      warmupSteps: integer(0, 10_000),
      steps: integer(1, 100_000),
      batchPairs: integer(1, 256),
      accumulationSteps: integer(1, 64),
      maxTokens: integer(8, 8192),
      terminator: fc.constantFrom("auto" as const, "eos" as const, "none" as const),
      isShuffled: fc.boolean(),
      topLayers: integer(0, 64),
      sharesPrompts: fc.boolean(),
      checkpointing: fc.constantFrom("auto" as const, "on" as const, "off" as const),
      seed: integer(0, 2_147_483_647),
      evalEvery: integer(0, 100_000),
      evalPairs: integer(1, 4096),
      samplePrompts: integer(1, 512),
      sampleTokens: integer(1, 512),
      sampleTemperature: real(0, 5),
      backend: fc.constantFrom("auto" as const, "webgpu" as const, "cpu" as const),
      rounds: integer(0, 100),
      onlinePrompts: integer(0, 100_000),
      firstPairs: fc.constantFrom("generated" as const, "data" as const),
      regeneratedShare: real(0, 1),
      selection: fc.constantFrom("lowest" as const, "random" as const),
      rankingKey: fc.constantFrom("mean" as const, "best" as const, "worst" as const, "gap" as const),
      hasPromptBaseline: fc.boolean(),
      answersPerPrompt: integer(2, 64),
      answerTemperature: real(0.01, 5),
      answerTopP: real(0.01, 1),
      onlineReference: fc.constantFrom("round" as const, "initial" as const),
      judges: fc.array(fc.record({ judge: anyJudge, weight: real(-100, 100) }), { maxLength: 3 }),
      heldoutJudge: fc.option(anyJudge),
      declineRounds: integer(0, 100),
      onJudgeFailure: fc.constantFrom("pause" as const, "goOn" as const),
    }),
  )
  .map((config) => ({ ...config, objective: objectiveFor(config.data, config.objective, description) }));

describe("a link", () => {
  it("brings back any configuration from any preset", () => {
    fc.assert(
      fc.property(
        anyConfig,
        fc.constantFrom(...description.presets.map(({ id }) => id)),
        (config, presetId) => {
          const link = formatLink(config, presetId, description);
          expect(readLink(link, description)).toEqual({ presetId, config, skipped: [], isNewer: false });
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  it("says only what differs from the preset, readably", () => {
    expect(formatLink(start, "tiny-dpo", description)).toBe("#/train?preset=tiny-dpo&seed=7&v=1");
    const changed: RunConfig = {
      ...start,
      params: { beta: 0.3 },
      loraTargets: ["q_proj", "v_proj"],
      learningRate: 5e-4,
    };
    expect(formatLink(changed, "tiny-dpo", description)).toBe(
      "#/train?preset=tiny-dpo&beta=0.3&loraTargets=q_proj,v_proj&learningRate=0.0005&seed=7&v=1",
    );
  });

  it("carries lists of features and of autoencoders, and leaves out a list that is none", () => {
    const holding: RunConfig = { ...start, heldFeatures: [12, 3], saes: ["mine"] };
    const link = formatLink(holding, "tiny-dpo", description);
    expect(link).toBe("#/train?preset=tiny-dpo&heldFeatures=12,3&saes=mine&seed=7&v=1");
    expect(readLink(link, description)).toMatchObject({ config: holding, skipped: [] });
    expect(readLink("#/train?heldFeatures=&saes=", description).config).toMatchObject({
      heldFeatures: [],
      saes: [],
    });
    expect(readLink("#/train?heldFeatures=3,x", description).skipped).toEqual([
      { setting: "heldFeatures=3,x", reason: "the value is not allowed here" },
    ]);
  });

  it("carries a second method with its own knobs, and judges them by its ranges", () => {
    const mixed: RunConfig = {
      ...start,
      secondMethod: "simpo",
      sftWeight: 0.1,
      params: { ...start.params, "second.beta": 3, "second.gamma": 0.5 },
    };
    const link = formatLink(mixed, "tiny-dpo", description);
    expect(link).toBe("#/train?preset=tiny-dpo&secondMethod=simpo&second.beta=3&sftWeight=0.1&seed=7&v=1");
    expect(readLink(link, description)).toMatchObject({ config: mixed, skipped: [] });
    const wrong =
      "#/train?second.beta=0.1&secondMethod=simpo&second.alpha=1&method=wdpo&weighting=0.5&seed=7";
    expect(readLink(wrong, description).skipped).toEqual([
      { setting: "second.beta=0.1", reason: "the value must be between 0.5 and 10" },
      { setting: "second.alpha=1", reason: "the setting is unknown" },
      { setting: "weighting=0.5", reason: "the value must be a whole number" },
    ]);
    expect(readLink("#/train?secondMethod=ppo&second.beta=2", description).skipped).toEqual([
      { setting: "secondMethod=ppo", reason: "there is no such method" },
      { setting: "second.beta=2", reason: "the setting is unknown" },
    ]);
  });

  it("never throws on junk and always yields a configuration that can be trained", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: "grapheme" }), (junk) => {
        const { config } = readLink(`#/train?${junk}`, description);
        expect(runConfigSchema.safeParse(config).success).toBe(true);
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it("skips and lists unknown settings, unknown names and invalid values", () => {
    const link =
      "#/train?preset=x&method=magic&beta=9&gamma=1&steps=0&loraRank=4.5&data=q&colour=red&seed=3&v=1";
    const { config, skipped, presetId } = readLink(link, description);
    expect(presetId).toBe("tiny-dpo");
    expect(config).toEqual({ ...start, seed: 3 });
    expect(skipped.map(({ setting }) => setting)).toEqual([
      "preset=x",
      "method=magic",
      "beta=9",
      "gamma=1",
      "steps=0",
      "loraRank=4.5",
      "data=q",
      "colour=red",
    ]);
  });

  it("accepts a newer version and says so", () => {
    const { config, isNewer, skipped } = readLink("#/train?preset=tiny-dpo&seed=9&v=2", description);
    expect([config.seed, isNewer, skipped]).toEqual([9, true, []]);
  });

  it("leaves files from a disk out, and refuses to read them back", () => {
    const link = formatLink({ ...start, model: "local", data: "local" }, "tiny-dpo", description);
    expect(link).not.toContain("local");
    const own = {
      data: "local",
      dataLayout: "trlExplicit",
      dataColumns: { chosen: "my column" },
      dataSteps: [{ kind: "revise", row: 0, chosen: "my text" } as const],
    };
    expect(formatLink({ ...start, ...own, model: "local" }, "tiny-dpo", description)).toBe(link);
    expect(readLink("#/train?model=local", description).skipped).toHaveLength(1);
    expect(readLink("#/data?data=hub:acme/pairs%23train.parquet", description).skipped).toEqual([
      {
        setting: "data=hub:acme/pairs#train.parquet",
        reason: "nothing is downloaded from a Hub unasked: take the set on the Data screen",
      },
    ]);
  });
});
