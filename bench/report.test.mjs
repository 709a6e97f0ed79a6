import { describe, expect, it } from "vitest";
import { report } from "./report.mjs";

const nothing = { own: null, tfjs: null, jax: null };
const row = (changes) => ({
  name: "a case",
  shape: "",
  medianMs: nothing,
  ratio: { tfjs: null, jax: null },
  gigaflops: null,
  counts: nothing,
  methods: null,
  skipped: null,
  ...changes,
});
const adapter = { vendor: "v", architecture: "", description: "", isFallbackAdapter: true };
const print = (rows) => report({ adapter, backend: "Chromium", commit: "abc", rows });

describe("steps of methods in turn", () => {
  const fpo = { method: "fpo", referenceMode: "cached", fpoRatio: null, goal: null };
  const tdpo = { method: "tdpo2", referenceMode: "live", fpoRatio: 0.7512, goal: 0.8 };
  const methods = [
    { ...fpo, dispatches: 91, referenceBytesPerPair: 3088 },
    { ...tdpo, dispatches: 120, referenceBytesPerPair: 0 },
  ];

  it("are printed as ratios beside their goals, with no time at all", () => {
    const text = print([row({ name: "step: fpo, toy", methods })]);
    expect(text).toMatch(/step: fpo, toy +fpo +cached +- +91 +3088/);
    expect(text).toMatch(/step: fpo, toy +tdpo2 +live +0\.75x +<= 0\.8 +120 +0/);
    expect(text).not.toMatch(/median ms/);
  });

  it("stand beside the table of times of other cases", () => {
    const text = print([row({ medianMs: { own: 5, tfjs: 10, jax: null } }), row({ methods })]);
    expect(text.match(/a case/g)).toHaveLength(3);
    expect(text).toMatch(/median ms[^]*methods in turn/);
  });
});
