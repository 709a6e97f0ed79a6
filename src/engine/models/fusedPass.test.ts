/** Fused layers against the same layers on the tape, on the cpu backend. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { passCases } from "../training/passCases.testing.ts";
import { expectAgreement, passResults, type PassCase } from "../training/passResults.testing.ts";
import { fusedPass } from "./fusedPass.ts";
import { openPass } from "./openPass.ts";
import { tapedPass } from "./tapedPass.ts";

const TOLERANCE = 1e-5;

// Plain loops over wide layers take seconds, and many of them where others compute as well.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => openTestDevice("cpu"));

describe.each(passCases)("fused layers with $name", (testCase) => {
  it("compute what the tape computes, keeping layers whole or not", async () => {
    const fused = await passResults(fusedPass, testCase);
    expectAgreement(fused, await passResults(tapedPass, testCase), TOLERANCE);
    expectAgreement(await passResults(fusedPass, testCase, "everything"), fused, 0);
  });
});

describe("training the last layers alone", () => {
  it("gives them the gradients that they have among all layers", async () => {
    // B is zero below, so that both models are the same.
    const shape = { model: { layers: 3 }, untouchedLayers: 2 };
    for (const open of [fusedPass, tapedPass]) {
      const all = await passResults(open, shape);
      const last = await passResults(open, { ...shape, policy: { topLayers: 1 } });
      const names = [...all.keys()].filter((name) => !/layers\.[01]\./.test(name));
      expect([...last.keys()]).toEqual(names);
      expectAgreement(last, new Map([...all].filter(([name]) => names.includes(name))), 0);
    }
  });
});

describe("a pass of the kind that fits the policy", () => {
  it("reaches the gains of head norms when every weight trains", async () => {
    const testCase: PassCase = { model: { hasQueryKeyNorm: true }, policy: { tuning: "full" } };
    const opened = await passResults(openPass, testCase);
    expect(opened.has("model.layers.0.self_attn.q_norm.weight")).toBe(true);
    expectAgreement(opened, await passResults(tapedPass, testCase), 0);
  });
});
