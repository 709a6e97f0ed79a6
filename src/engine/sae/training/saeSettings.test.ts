import { describe, expect, it } from "vitest";
import { defaultSaeSettings, saeSettingProblems, saeSettingRanges, type SaeSettings } from "./saeSettings.ts";

const model = { layers: 3 };
const defaults = defaultSaeSettings(model);

describe("saeSettingProblems", () => {
  it("finds nothing wrong with the defaults of any model", () => {
    for (const layers of [1, 2, 3, 30])
      expect(saeSettingProblems(defaultSaeSettings({ layers }), { layers })).toEqual([]);
    expect(defaultSaeSettings({ layers: 1 }).layer).toBe(0);
  });

  it.each(Object.keys(saeSettingRanges) as (keyof SaeSettings)[])("names %s outside of its range", (key) => {
    const [least, most] = saeSettingRanges[key];
    for (const value of [least - 1, most + 1, NaN]) {
      const [problem] = saeSettingProblems({ ...defaults, [key]: value }, { layers: 2000 });
      expect(problem).toContain(` is ${value}; choose one from ${least} to ${most}.`);
    }
  });

  it("asks for whole numbers, but not for the learning rate", () => {
    expect(saeSettingProblems({ ...defaults, steps: 1.5 }, model)).toEqual([
      "The number of steps is 1.5; choose a whole number.",
    ]);
    expect(saeSettingProblems({ ...defaults, learningRate: 0.0125 }, model)).toEqual([]);
  });

  it("names a layer that the model does not have, and more active features than there are", () => {
    expect(saeSettingProblems({ ...defaults, layer: 3 }, model)).toEqual([
      "The layer is 3, and the last block of the model's 3 is 2: choose one that is there.",
    ]);
    expect(saeSettingProblems({ ...defaults, width: 16, k: 17 }, model)).toEqual([
      "17 features are to be active, and there are 16: choose fewer active ones.",
    ]);
  });
});
