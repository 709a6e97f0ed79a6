/** The embedded model as an independent implementation in float64 (tools/pretrain/golden.py) computes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import golden from "../../../tools/pretrain/golden.json" with { type: "json" };
import { flatBatch } from "../data/batch.ts";
import { embeddedModels } from "../data/embedded.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { dispose, read, tidy } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { scoreBatch, scoredStates, sumBySequence } from "../training/scoring.ts";
import { atOnce } from "../training/parts.ts";
import { headName } from "./decoder.ts";
import { loadModel } from "./loadModel.ts";
import { parameter, referenceWeights } from "./weights.ts";

const TOLERANCE = 1e-3;

function openStory() {
  const [story] = embeddedModels;
  const folder = join(import.meta.dirname, "../../../public", story?.folder ?? "");
  const files = story?.files ?? [];
  return loadModel(files.map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) })));
}

function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...expected.map((value, index) => Math.abs(value - (actual[index] ?? NaN))));
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
}

it("gives the embedded model's golden ids, logits and log-probs", { timeout: 60_000 }, async () => {
  await openTestDevice("cpu");
  const { model, tokenizer, dispose: close } = await openStory();
  const prompt = golden.prompt_ids;
  expect(tokenizer.encode(golden.prompt, { addSpecialTokens: true })).toEqual(prompt);
  expect(tokenizer.decode(golden.chosen_ids, { after: prompt })).toBe(golden.chosen);
  expect(tokenizer.decode(golden.rejected_ids, { after: prompt })).toBe(golden.rejected);
  const answers = [golden.chosen_ids, golden.rejected_ids];
  const sequences = answers.map((answer) => ({
    tokens: Int32Array.from([...prompt, ...answer]),
    scoredFrom: prompt.length,
  }));
  const batch = uploadBatch(flatBatch(sequences));
  const weights = referenceWeights(model);
  const { logps } = await scoreBatch(model, weights, batch);
  expectNear(sumBySequence(batch.flat, logps), [golden.chosen_logp, golden.rejected_logp]);

  const hidden = atOnce(scoredStates(model, weights, batch));
  const logits = tidy(() =>
    matmul(hidden, parameter(weights, headName(model.config)), {
      form: "abt",
    }),
  );
  // The first scored row is the prompt's last token.
  expectNear((await read(logits)).subarray(0, model.config.vocabularySize), golden.last_token_logits);
  dispose([hidden, logits]);
  batch.dispose();
  close();
});
