import { describe, expect, it } from "vitest";
import { learningRateAt } from "./schedule.ts";
import type { ScheduleSettings } from "./schedule.ts";

function rates(settings: ScheduleSettings, count = settings.steps + 2): number[] {
  return Array.from({ length: count }, (_, index) => learningRateAt(index + 1, settings));
}

/** Rates without the rounding of their last digits. */
function rounded(values: number[]): number[] {
  return values.map((value) => Number(value.toFixed(12)));
}

describe("learningRateAt", () => {
  it("stays at the peak when constant and starts there without warm-up", () => {
    const settings = { learningRate: 0.5, steps: 3, warmupSteps: 0, schedule: "constant" } as const;
    expect(rates(settings)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  it("rises from 0 over the warm-up", () => {
    const settings = { learningRate: 8, steps: 6, warmupSteps: 4, schedule: "constant" } as const;
    expect(rounded(rates(settings))).toEqual(rounded([0, 2, 4, 6, 8, 8, 8, 8]));
  });

  it("falls linearly to 0 just after the last step and stays there", () => {
    const settings = { learningRate: 4, steps: 6, warmupSteps: 2, schedule: "linear" } as const;
    expect(rounded(rates(settings))).toEqual(rounded([0, 2, 4, 3, 2, 1, 0, 0]));
  });

  it("falls along half a cosine", () => {
    const settings = { learningRate: 2, steps: 4, warmupSteps: 0, schedule: "cosine" } as const;
    expect(rounded(rates(settings))).toEqual(rounded([2, 1 + Math.SQRT1_2, 1, 1 - Math.SQRT1_2, 0, 0]));
  });

  it.each(["constant", "linear", "cosine"] as const)(
    "survives a warm-up as long as the run (%s)",
    (schedule) => {
      const settings = { learningRate: 1, steps: 2, warmupSteps: 2, schedule };
      const values = rates(settings);
      expect(rounded(values.slice(0, 3))).toEqual(rounded([0, 0.5, 1]));
      expect(values.every(Number.isFinite)).toBe(true);
    },
  );
});
