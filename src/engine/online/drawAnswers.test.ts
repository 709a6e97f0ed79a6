import { afterEach, beforeEach, expect, it } from "vitest";
import { referenceWeights } from "../models/weights.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { answerPlaces, drawTogether } from "./drawAnswers.ts";
import { idTokenizer, tinyPrompts } from "./onlineRun.testing.ts";

const STOP = 2;
let tiny: ReturnType<typeof createTinyModel>;

beforeEach(async () => {
  await openTestDevice("cpu");
  tiny = createTinyModel();
});

afterEach(() => {
  tiny.dispose();
});

it("ends answers with their stop token only where the set has terminators", async () => {
  const { model } = tiny;
  const draw = (terminator: "auto" | "none") =>
    drawTogether(
      {
        model,
        weights: referenceWeights(model),
        tokenizer: idTokenizer,
        prompts: tinyPrompts(2),
        config: { sampleTokens: 12, maxTokens: 64, terminator },
        temperature: 5,
        topP: 1,
        seed: 1,
      },
      answerPlaces([0, 1], 32),
    );
  const [ended, open] = [await draw("auto"), await draw("none")];
  expect(ended.some(({ ids }) => ids.at(-1) === STOP)).toBe(true);
  expect(open).toEqual(ended.map((answer) => ({ ...answer, ids: answer.ids.filter((id) => id !== STOP) })));
});
