import { beforeEach, describe, expect, it, vi } from "vitest";
import { packShards } from "../kernels/weightLayout/packedWeight.ts";
import { headName, type Model } from "../models/decoder.ts";
import { parameter, referenceWeights, type Weights } from "../models/weights.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { argmax, uncachedLogits } from "../testing/uncachedDecoding.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter, tinyRun } from "../training/tinyRun.testing.ts";
import { generate, promptsAtOnce, type GenerationOptions } from "./generate.ts";
import { sample } from "../kernels/sample/sample.ts";

vi.mock("../kernels/sample/sample.ts", { spy: true });

let model: Model;
let weights: Weights;

/** Prompts of 1 to 9 tokens. */
const prompts = [[5], [1, 7, 12, 30, 8, 9, 22, 4, 3], [1, 40, 2], [33, 6, 6, 19, 5]].map((ids) =>
  Int32Array.from(ids),
);

const greedy: GenerationOptions = { maxNewTokens: 12, temperature: 0, seed: 3, stopTokenIds: [] };

beforeEach(async () => {
  await openTestDevice("cpu");
  ({ model } = createTinyModel());
  const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4));
  ({ weights } = policy);
});

/** The greedy continuation by whole forward passes. */
async function slowly(prompt: Int32Array, count: number): Promise<number[]> {
  const text = [...prompt];
  while (text.length < prompt.length + count) text.push(argmax(await uncachedLogits(model, weights, text)));
  return text.slice(prompt.length);
}

describe("generate", () => {
  it("continues prompts of different lengths as whole forward passes do, at every step", async () => {
    const answers = await generate(model, weights, prompts, greedy);
    for (const [index, prompt] of prompts.entries()) {
      expect(answers[index]).toEqual(await slowly(prompt, greedy.maxNewTokens));
    }
    // Adapters count: the base alone writes something else.
    expect(await generate(model, referenceWeights(model), prompts, greedy)).not.toEqual(answers);
  });

  it.each([0, 0.8])("is not changed by batch-mates at temperature %s", async (temperature) => {
    const options = { ...greedy, temperature };
    const together = await generate(model, weights, prompts, options);
    const others = tinyPairs(4, { seed: 5 }).map(({ prompt }) => prompt);
    for (const [index, prompt] of prompts.entries()) {
      const mates = others.map((other, place) => (place === index ? prompt : other));
      expect((await generate(model, weights, mates, options))[index]).toEqual(together[index]);
    }
    const first = prompts.slice(0, 1);
    expect(await generate(model, weights, first, options)).toEqual(together.slice(0, 1));
  });

  it.each([0, 0.8])("is not changed by how often it is looked at, at temperature %s", async (temperature) => {
    const some = prompts.slice(0, 3);
    const options = { ...greedy, temperature, topP: 0.95, repetitionPenalty: 1.2, maxNewTokens: 19 };
    const answers = await generate(model, weights, some, options);
    const stop = answers[1]?.[4] ?? NaN;
    for (const readEvery of [1, 3, 100]) {
      expect(await generate(model, weights, some, { ...options, readEvery })).toEqual(answers);
      const stopped = await generate(model, weights, some, { ...options, readEvery, stopTokenIds: [stop] });
      expect(stopped).toEqual(
        answers.map((answer) => (answer.includes(stop) ? answer.slice(0, answer.indexOf(stop)) : answer)),
      );
    }
  });

  it("stops looking when all have stopped", async () => {
    const [answer = []] = await generate(model, weights, prompts.slice(0, 1), greedy);
    const options = { ...greedy, maxNewTokens: 40, stopTokenIds: answer.slice(2, 3), readEvery: 4 };
    vi.mocked(sample).mockClear();
    await generate(model, weights, prompts.slice(0, 1), options);
    expect(vi.mocked(sample).mock.calls.length).toBe(4);
  });

  it("draws only from the likeliest tokens that are asked for", async () => {
    const hot = { ...greedy, temperature: 3 };
    const answers = await generate(model, weights, prompts, greedy);
    expect(await generate(model, weights, prompts, hot)).not.toEqual(answers);
    expect(await generate(model, weights, prompts, { ...hot, topK: 1 })).toEqual(answers);
    expect(await generate(model, weights, prompts, { ...hot, topP: 1e-6 })).toEqual(answers);
    const [answer = []] = await generate(model, weights, prompts.slice(1, 2), { ...hot, topK: 3 });
    const ranks: number[] = [];
    for (const [place, token] of answer.entries()) {
      const text = [...(prompts[1] ?? []), ...answer.slice(0, place)];
      const logits = Array.from(await uncachedLogits(model, weights, text));
      ranks.push(logits.filter((logit) => logit > (logits[token] ?? NaN)).length);
    }
    expect(Math.max(...ranks)).toBe(2);
  });

  it("lowers the logits of all tokens of the prompt and the answer", async () => {
    const repetitionPenalty = 1.4;
    const answers = await generate(model, weights, prompts, { ...greedy, repetitionPenalty });
    for (const [index, prompt] of prompts.entries()) {
      const text = [...prompt];
      for (const token of answers[index] ?? []) {
        const logits = Array.from(await uncachedLogits(model, weights, text));
        for (const id of new Set(text)) {
          const logit = logits[id] ?? NaN;
          logits[id] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
        }
        expect(token).toBe(argmax(logits));
        text.push(token);
      }
    }
    expect(answers).not.toEqual(await generate(model, weights, prompts, greedy));
  });

  it("continues alike with a head in shards", async () => {
    const name = headName(model.config);
    const { vocabularySize, hiddenSize } = model.config;
    const values = Float32Array.from(await read(parameter(model, name)));
    const shape = [vocabularySize, hiddenSize] as const;
    const head = packShards(values, shape, { layout: "f32", largestBytes: 15 * hiddenSize * 4 });
    expect(head.shards.length).toBeGreaterThan(2);
    const sharded = { ...weights, base: new Map([...weights.base, [name, head]]) };
    const options = { ...greedy, temperature: 0.9 };
    expect(await generate(model, sharded, prompts, options)).toEqual(
      await generate(model, weights, prompts, options),
    );
  });

  it("repeats a seed, and draws anew for another seed and for every prompt", async () => {
    const options = { ...greedy, temperature: 1.5, maxNewTokens: 20 };
    const same = prompts.map(() => Int32Array.of(1, 7, 9));
    const answers = await generate(model, weights, same, options);
    expect(await generate(model, weights, same, options)).toEqual(answers);
    expect(new Set(answers.map(String)).size).toBe(answers.length);
    const other = await generate(model, weights, same, { ...options, seed: 4 });
    const all = [...answers, ...other].map(String);
    expect(new Set(all).size).toBe(all.length);
  });

  it("does not show in which group of many a prompt was", async () => {
    const options = { ...greedy, temperature: 1.5, maxNewTokens: 8 };
    const same = Array.from({ length: promptsAtOnce + 2 }, () => Int32Array.of(1, 7, 9));
    const answers = await generate(model, weights, same, options);
    expect(answers.slice(0, 3)).toEqual(await generate(model, weights, same.slice(0, 3), options));
    // Every prompt of the list has a stream of its own, in the second group as well.
    expect(answers[promptsAtOnce]).not.toEqual(answers[0]);
    expect(answers[promptsAtOnce + 1]).not.toEqual(answers[1]);
    const others = same.map((prompt, index) => (index < promptsAtOnce ? Int32Array.of(3) : prompt));
    expect((await generate(model, weights, others, options)).slice(promptsAtOnce)).toEqual(
      answers.slice(promptsAtOnce),
    );
  });

  it("holds on the device only those that grow together", async () => {
    const bytes: number[] = [];
    // Every token is then the first of the vocabulary.
    const sampling = vi.mocked(sample).mockImplementation(() => {
      bytes.push(memory().numBytes);
    });
    const peak = async (count: number) => {
      bytes.length = 0;
      const same = Array.from({ length: count }, () => Int32Array.of(1, 7, 9));
      await generate(model, weights, same, { ...greedy, maxNewTokens: 2 });
      return Math.max(...bytes);
    };
    const most = await peak(promptsAtOnce);
    expect(await peak(2 * promptsAtOnce)).toBe(most);
    sampling.mockRestore();
  });

  it("stops at a stop token, which the answer does not hold, and lets the others go on", async () => {
    const free = await generate(model, weights, prompts, greedy);
    const stop = free[1]?.[3] ?? NaN;
    const stopped = await generate(model, weights, prompts, { ...greedy, stopTokenIds: [stop, 99] });
    free.forEach((answer, index) => {
      const end = answer.indexOf(stop);
      expect(stopped[index]).toEqual(end < 0 ? answer : answer.slice(0, end));
    });
    expect(stopped[1]?.length).toBeLessThanOrEqual(3);
    expect(Math.max(...stopped.map(({ length }) => length))).toBeGreaterThan(3);
    const [first] = free.map(([token]) => token ?? NaN);
    const empty = await generate(model, weights, prompts.slice(0, 1), {
      ...greedy,
      stopTokenIds: [first ?? NaN],
    });
    expect(empty).toEqual([[]]);
  });

  it("keeps the stop token where asked for, and takes it for one of the new tokens", async () => {
    const free = await generate(model, weights, prompts, greedy);
    const stop = free[1]?.[3] ?? NaN;
    const keeping = { ...greedy, stopTokenIds: [99, stop], keepsStopToken: true };
    for (const readEvery of [1, 8]) {
      const kept = await generate(model, weights, prompts, { ...keeping, readEvery });
      expect(kept).toEqual(
        free.map((answer) => (answer.includes(stop) ? answer.slice(0, answer.indexOf(stop) + 1) : answer)),
      );
      expect(kept[1]?.at(-1)).toBe(stop);
    }
    const first = free.map(([token]) => token ?? NaN);
    // An answer of the stop token alone, also where there is room for one token only.
    for (const maxNewTokens of [1, 5]) {
      const short = { ...keeping, stopTokenIds: first, maxNewTokens };
      expect(await generate(model, weights, prompts, short)).toEqual(first.map((token) => [token]));
    }
  });

  it("ends at the model's last position", async () => {
    const { maxPositions } = model.config;
    const filled = new Int32Array(maxPositions).fill(3);
    const before = memory().numTensors;
    const lengths = async (...some: Int32Array[]) =>
      (await generate(model, weights, some, greedy)).map(({ length }) => length);
    expect(await lengths(filled)).toEqual([0]);
    expect(await lengths(filled.subarray(1))).toEqual([1]);
    expect(await lengths(filled, filled.subarray(5), Int32Array.of(1))).toEqual([0, 5, 12]);
    expect(await generate(model, weights, [], greedy)).toEqual([]);
    expect(await generate(model, weights, prompts, { ...greedy, maxNewTokens: 0 })).toEqual([[], [], [], []]);
    expect(memory().numTensors).toBe(before);
    const nearEnd = filled.subarray(0, maxPositions - 3);
    const [answer] = await generate(model, weights, [nearEnd], greedy);
    expect(answer).toEqual(await slowly(nearEnd, 3));
  });

  it.each([
    [[1, 2], "2 streams for 4 prompts"],
    [[0, 1, 2, -1], "Stream -1"],
    [[0, 1, 2, 0.5], "Stream 0.5"],
    [[0, 1, 2, 2 ** 31], "Stream 2147483648"],
  ])("refuses the streams %o", async (streams, message) => {
    await expect(generate(model, weights, prompts, { ...greedy, streams })).rejects.toThrow(message);
  });

  it("refuses a prompt without a token", async () => {
    await expect(generate(model, weights, [Int32Array.of(1), new Int32Array()], greedy)).rejects.toThrow(
      "Prompt 1 has no tokens",
    );
  });
});
