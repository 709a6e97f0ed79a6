/** Answers that belong to streams, not to places, on the open backend. */
import { expect } from "vitest";
import { referenceWeights } from "../models/weights.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { generate, promptsAtOnce, type GenerationOptions } from "./generate.ts";

const FIRST_STREAM = 1000;

/** Prompts together, in another order, in parts and one by one draw the same from the same streams. */
export async function checkStreams(temperature: number): Promise<void> {
  const { model, dispose } = createTinyModel();
  const weights = referenceWeights(model);
  const texts = [[5], [1, 7, 12, 30, 8, 9, 22, 4, 3], [1, 40, 2], [33, 6, 6, 19, 5], [1, 40, 2], [9, 9]];
  // A few more than grow together.
  const prompts = Array.from({ length: promptsAtOnce + 4 }, (_, place) =>
    Int32Array.from(texts[place % texts.length] ?? []),
  );
  const options: Omit<GenerationOptions, "streams" | "stopTokenIds"> = {
    maxNewTokens: 16,
    temperature,
    topP: 0.9,
    seed: 5,
    keepsStopToken: true,
    readEvery: 3,
  };
  const draw = (places: readonly number[], stopTokenIds: readonly number[]) =>
    generate(
      model,
      weights,
      places.map((place) => prompts[place] ?? new Int32Array()),
      { ...options, stopTokenIds, streams: places.map((place) => FIRST_STREAM + 7 * place) },
    );
  const all = [...prompts.keys()];
  const free = await draw(all, []);
  const stops = [free[0]?.[6] ?? NaN, free[1]?.[4] ?? NaN];
  const answers = await draw(all, stops);
  // They end at different times.
  expect(new Set(answers.map(({ length }) => length)).size).toBeGreaterThan(2);
  const singles = [0, 1, 2, 3, 4, promptsAtOnce, promptsAtOnce + 3].map((place) => [place]);
  for (const places of [all.toReversed(), [4, 0], [promptsAtOnce + 2, 5, 1], ...singles]) {
    expect(await draw(places, stops)).toEqual(places.map((place) => answers[place]));
  }
  // Equal prompts differ only by their streams.
  if (temperature > 0) expect(answers[4]).not.toEqual(answers[2]);
  // Left out, a prompt's stream is its place.
  const placed = { ...options, stopTokenIds: stops };
  const numbered = await generate(model, weights, prompts, { ...placed, streams: all });
  expect(await generate(model, weights, prompts, placed)).toEqual(numbered);
  if (temperature > 0) expect(numbered).not.toEqual(answers);
  dispose();
}
