/** The decoder, its head and its greedy text against the fixture's reference, on whichever backend is open. */
import { expect } from "vitest";
import { flatBatch } from "../data/batch.ts";
import { generate } from "../generation/generate.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { decoderLayer, embedTokens, headName, scoredHidden, type Model } from "../models/decoder.ts";
import { countParameters, parameter, referenceWeights } from "../models/weights.ts";
import { dispose, memory, read, tidy } from "../tensor/run.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { scoreBatch } from "../training/scoring.ts";
import { argmax } from "./uncachedDecoding.ts";
import { openStories, type ReferenceContinuation } from "./storiesModel.ts";

/** Largest difference to the float64 values, in 32-bit arithmetic. */
const TOLERANCE = 1e-3;

/** What the model of formats.md writes from BOS without chance, and how many parameters that model has. */
const KNOWN_TEXT =
  "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. " +
  "One day, she saw a big, red ball.";
const KNOWN_PARAMETERS = 260_032;

function expectNear(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const worst = Math.max(...expected.map((value, index) => Math.abs(value - (actual[index] ?? NaN))));
  expect(worst, `${what}: off by ${worst}`).toBeLessThanOrEqual(TOLERANCE);
}

/** Prompt ids, the residual stream after every layer, and the logits after the last token. */
export async function checkStoriesForward(): Promise<void> {
  const before = memory().numTensors;
  const { model, tokenizer, reference, dispose: close } = await openStories();
  const ids = tokenizer.encode(reference.prompt, { addSpecialTokens: true });
  expect(ids).toEqual(reference.prompt_ids);
  // The scored row is the last one, which predicts the token that is appended here.
  const tokens = Int32Array.from([...ids, reference.argmax]);
  const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: ids.length }]));
  const weights = referenceWeights(model);
  const lastRow = async (states: Awaited<ReturnType<typeof read>>) => {
    const width = model.config.hiddenSize;
    return states.subarray((ids.length - 1) * width, ids.length * width);
  };
  let x = tidy(() => embedTokens(model, weights, batch.rows));
  for (let layer = 0; layer < model.config.layers; layer++) {
    const previous = x;
    x = tidy(() => decoderLayer(model, weights, layer, { x: previous, rows: batch.rows }));
    dispose(previous);
    expectNear(await lastRow(await read(x)), reference.residual_after_layer[layer] ?? [], `layer ${layer}`);
  }
  const logits = tidy(() =>
    matmul(scoredHidden(model, weights, x, batch.scored), parameter(weights, headName(model.config)), {
      form: "abt",
    }),
  );
  const values = await read(logits);
  expectNear(values, reference.last_logits, "logits");
  expect(argmax(values)).toBe(reference.argmax);
  dispose([x, logits]);
  batch.dispose();
  close();
  expect(memory().numTensors).toBe(before);
}

/** Log-probs of every token of both continuations, and their sums. */
export async function checkStoriesContinuations(): Promise<void> {
  const { model, tokenizer, reference, dispose: close } = await openStories();
  for (const continuation of [reference.chosen, reference.rejected]) {
    const text = reference.prompt + continuation.text;
    expect(tokenizer.encode(text, { addSpecialTokens: true })).toEqual(continuation.full_ids);
    const logps = await logpsOf(model, continuation);
    expectNear(logps, continuation.token_logprobs, continuation.text);
    const sum = logps.reduce((total, logp) => total + logp, 0);
    expectNear([sum], [continuation.sum_logprob], `sum of${continuation.text}`);
  }
  close();
}

async function logpsOf(model: Model, { full_ids: ids, prompt_ids: prompt }: ReferenceContinuation) {
  const sequence = { tokens: Int32Array.from(ids), scoredFrom: prompt.length };
  const batch = uploadBatch(flatBatch([sequence]));
  const { logps } = await scoreBatch(model, referenceWeights(model), batch);
  batch.dispose();
  return [...logps];
}

/** Text without chance: it takes the likeliest token, and every token that has more than half of the probability. */
export async function checkStoriesGreedy(knownTokens: number): Promise<void> {
  const { model, tokenizer, reference, dispose: close } = await openStories();
  const bos = tokenizer.bosTokenId;
  if (bos === null) throw new Error("The fixture model has no BOS.");
  const options = { temperature: 0, seed: 0, stopTokenIds: tokenizer.stopTokenIds };
  const { full_ids: ids, prompt_ids: prompt, token_logprobs: logps } = reference.chosen;
  const isSure = (logp: number) => logp > Math.log(0.5) + TOLERANCE;
  const firstUnsure = logps.findIndex((logp) => !isSure(logp));
  const sure = firstUnsure < 0 ? logps.length : firstUnsure;
  const expected = ids.slice(prompt.length, prompt.length + sure);
  const weights = referenceWeights(model);
  const [answer = []] = await generate(model, weights, [Int32Array.from(prompt)], {
    ...options,
    maxNewTokens: Math.max(1, expected.length),
  });
  expect(answer[0]).toBe(reference.argmax);
  expect(answer.slice(0, expected.length)).toEqual(expected);
  const parameters = countParameters(model);
  if (parameters === KNOWN_PARAMETERS) {
    const [story = []] = await generate(model, weights, [Int32Array.of(bos)], {
      ...options,
      maxNewTokens: knownTokens,
    });
    const text = tokenizer.decode(story);
    expect(text.length).toBeGreaterThan(knownTokens);
    expect(KNOWN_TEXT.startsWith(text) || text.startsWith(KNOWN_TEXT), text).toBe(true);
  }
  close();
}
