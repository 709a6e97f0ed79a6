import { expect, it } from "vitest";
import { sampleMetrics, type SampledAnswer } from "./samples.ts";

const answer = (tokenDeltas: number[]): SampledAnswer => ({
  prompt: "",
  mode: "seeded",
  text: "",
  tokens: tokenDeltas.map(String),
  tokenDeltas,
  judgeScore: null,
});

it("estimates the reverse KL as the mean of summed log-ratios of the policy's own answers", () => {
  // (0.5 + 1) and (−0.25): the mean of 1.5 and −0.25.
  expect(sampleMetrics([answer([0.5, 1]), answer([-0.25])])).toEqual({
    "kl/reverseEstimate": 0.625,
    "samples/length": 1.5,
  });
  expect(sampleMetrics([])).toEqual({});
});
