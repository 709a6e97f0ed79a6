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
  generation: null,
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

describe("ways to decode", () => {
  const cached = {
    way: "key-value cache",
    tokensPerSecond: 1234.4,
    dispatchesPerToken: 20.25,
    submitsPerToken: 0.5,
  };
  const whole = { way: "whole passes", tokensPerSecond: 100, dispatchesPerToken: 21, submitsPerToken: 2 };
  const generation = [
    { ...cached, speedUp: 12.34, goal: 5 },
    { ...whole, speedUp: null, goal: null },
  ];

  it("are printed with their tokens a second, the ratio of their times and what a token asks of the device", () => {
    const text = print([row({ name: "generate: a model", shape: "4 prompts", generation })]);
    expect(text).toMatch(/generate: a model +4 prompts +key-value cache +1234 +12\.3x +>= 5x +20\.3 +0\.50/);
    expect(text).toMatch(/generate: a model +4 prompts +whole passes +100 +- +21\.0 +2\.00/);
    expect(text).not.toMatch(/median ms/);
  });
});
