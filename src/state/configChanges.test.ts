import { expect, it } from "vitest";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { changesBetween, problemsOf } from "./configChanges.ts";

const problem = (change: object) => problemsOf({ ...defaultConfig, ...change }, null)[0];

it("lists what differs, with a method's own knobs by name", () => {
  const changed: RunConfig = { ...defaultConfig, params: { gamma: 1 }, loraTargets: ["q_proj"], seed: 8 };
  expect(changesBetween({ ...defaultConfig, seed: 7, params: { beta: 0.1 } }, changed)).toEqual([
    { field: "loraTargets", from: defaultConfig.loraTargets, to: ["q_proj"] },
    { field: "seed", from: 7, to: 8 },
    { field: "params.beta", from: 0.1, to: undefined },
    { field: "params.gamma", from: undefined, to: 1 },
  ]);
  expect(changesBetween(defaultConfig, { ...defaultConfig })).toEqual([]);
});

it("says what is wrong with a setting in one sentence with its number", () => {
  expect(problem({ steps: 0 })).toEqual({ field: "steps", message: "Must be at least 1." });
  expect(problem({ learningRate: 2 })).toEqual({ field: "learningRate", message: "Must be at most 1." });
  expect(problem({ learningRate: Number.NaN })?.message).toBe("A number is needed here.");
  expect(problem({ steps: 2.5 })?.message).toBe("A whole number is needed here.");
  expect(problem({ loraTargets: [] })?.message).toBe("Choose at least one module for the adapter.");
  expect(problem({ schedule: "zigzag" })?.message).toBe("This choice is not offered.");
  expect(problem({ colour: 1 })?.message).toBe("There is no setting named colour.");
  expect(problem({ params: { beta: Number.NaN } })).toEqual({
    field: "params.beta",
    message: "A number is needed here.",
  });
  expect(problem({})).toBeUndefined();
});
