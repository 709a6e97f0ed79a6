/** Greedy text with a cache, against a whole pass on the tape for every token, on the open backend. */
import { expect } from "vitest";
import { canFuse } from "../models/fusedPass.ts";
import { uploadModel } from "../models/loadModel.ts";
import type { Weights } from "../models/weights.ts";
import { tinyArrays, tinyConfig } from "./tinyModel.ts";
import { argmax, shortfall, uncachedLogits } from "./uncachedDecoding.ts";
import { defaultConfig } from "../training/config.ts";
import { passCases } from "../training/passCases.testing.ts";
import type { PassCase } from "../training/passResults.testing.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter } from "../training/tinyRun.testing.ts";
import { generate } from "../generation/generate.ts";

const NEW_TOKENS = 8;
/** Of two tokens this close, rounding may choose either; the texts here must not hang on that. */
const TIE = 1e-4;
const ADAPTER_SPREAD = 0.1;

/** Wider sums are the kernels' affair. */
const widest = { intermediateSize: 80, vocabularySize: 211 };

/** Every shape that layers can be fused for, with layers fused and on the tape. */
export const greedyCases = passCases.flatMap(({ model, ...testCase }) =>
  (["fused", "taped"] as const).map((layers) => ({
    ...testCase,
    layers,
    model: model?.vocabularySize === undefined ? { ...model } : { ...model, ...widest },
  })),
);

/** Prompts of 1 to 13 tokens together give token by token what whole passes give for each alone. */
export async function checkGreedy(
  testCase: PassCase & { readonly layers: "fused" | "taped" },
): Promise<void> {
  const config = { ...tinyConfig, ...testCase.model };
  const { model, dispose } = uploadModel(config, tinyArrays(config), testCase.layout);
  const settings = { ...defaultConfig, ...testCase.policy };
  const initial = randomAdapter(model, 2, { rank: settings.loraRank, spread: ADAPTER_SPREAD });
  const policy = createPolicy(model, settings, initial);
  const weights: Weights =
    testCase.layers === "fused" ? policy.weights : { ...policy.weights, stacks: new Map() };
  expect(canFuse({ model, weights })).toBe(testCase.layers === "fused");
  const prompts = [[5], [1, 7, 12, 30, 8, 9, 22, 4, 3, 17, 2, 38, 6], [1, 40, 2]].map((ids) =>
    Int32Array.from(ids),
  );
  const options = { maxNewTokens: NEW_TOKENS, temperature: 0, seed: 1, stopTokenIds: [], readEvery: 3 };
  const answers = await generate(model, weights, prompts, options);
  for (const [index, prompt] of prompts.entries()) {
    const text = [...prompt];
    while (text.length < prompt.length + NEW_TOKENS) {
      const logits = Array.from(await uncachedLogits(model, weights, text));
      const best = argmax(logits);
      const others = logits.filter((_, id) => id !== best);
      expect(shortfall(logits, logits.indexOf(Math.max(...others)))).toBeGreaterThan(TIE);
      text.push(best);
    }
    expect(answers[index], `prompt ${index}`).toEqual(text.slice(prompt.length));
  }
  policy.dispose();
  dispose();
}
