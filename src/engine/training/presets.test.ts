import { describe, expect, it } from "vitest";
import { embeddedDatasets, embeddedModels } from "../data/embedded.ts";
import type { Objective } from "../losses/objective.ts";
import { objectives } from "../losses/index.ts";
import { defaultConfig, runConfigSchema, type RunConfig } from "./config.ts";
import { presets, type PresetSummary } from "./presets.ts";

const all: readonly PresetSummary[] = presets;
const methodOf = ({ method }: RunConfig) =>
  Object.values<Objective>(objectives).find(({ id }) => id === method);

describe("presets", () => {
  it("starts the page with the default configuration", () => {
    expect(presets[0]).toMatchObject({ id: "tiny-dpo", config: defaultConfig });
  });

  it("has names that can stand in a link, each once, and one line of promise each", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ label }) => label)).size).toBe(all.length);
    for (const { id, promise } of all) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(promise).toMatch(/^[A-Z][^\n]{20,110}\.$/);
    }
  });

  it.each(all.map(({ id, config }) => [id, config] as const))(
    "%s is a valid configuration",
    (_id, config) => {
      expect(runConfigSchema.parse(config)).toEqual(config);
      const { data, objective, model } = config;
      expect(embeddedModels.map(({ id }) => id)).toContain(model);
      const aims = embeddedDatasets.find(({ id }) => id === data)?.objectives.map(({ id }) => id) ?? [];
      // A set with one aim leaves it unnamed.
      expect(aims.length === 1 ? [""] : aims).toContain(objective);
    },
  );

  it.each(all.map(({ id, config }) => [id, config] as const))(
    "%s gives its method no knobs but its own, within their ranges",
    (_id, config) => {
      const knobs = methodOf(config)?.parameters ?? [];
      for (const [key, value] of Object.entries(config.params)) {
        const knob = knobs.find((one) => one.key === key);
        expect(knob?.minimum).toBeLessThanOrEqual(value);
        expect(knob?.maximum).toBeGreaterThanOrEqual(value);
      }
    },
  );

  it("divides its steps into whole rounds that see every prompt", () => {
    const online = all.filter(({ config }) => config.rounds > 0);
    expect(online.map(({ id }) => id)).toEqual(["online", "iterative-dpo", "best-of-n", "gamed-judge"]);
    for (const { config } of online) {
      const stepsPerRound = config.steps / config.rounds;
      expect(Number.isInteger(stepsPerRound)).toBe(true);
      expect(stepsPerRound * config.batchPairs).toBeGreaterThanOrEqual(config.onlinePrompts);
    }
  });

  it("gives the judge that is gamed another one to be held against", () => {
    const { judges, heldoutJudge } = all.find(({ id }) => id === "gamed-judge")?.config ?? defaultConfig;
    expect(judges.map(({ judge }) => judge.kind)).toEqual(["words"]);
    expect(heldoutJudge).toEqual({ kind: "program", id: "kindEndings" });
  });

  it("draws half of the prompts anew for OPTune, and all of them for its plain baselines", () => {
    const configOf = (wanted: string) => all.find(({ id }) => id === wanted)?.config;
    const judgedBySet = { judges: [], heldoutJudge: null, firstPairs: "generated", selection: "lowest" };
    expect(configOf("online")).toMatchObject({
      method: "wdpo",
      regeneratedShare: 0.5,
      rounds: 3,
      ...judgedBySet,
    });
    expect(configOf("iterative-dpo")).toMatchObject({ method: "dpo", regeneratedShare: 1, ...judgedBySet });
    expect(configOf("best-of-n")).toMatchObject({ method: "sft", regeneratedShare: 1, ...judgedBySet });
  });
});
