/** The fixture model and its autoencoder: what is said of their features, against an independent implementation. */
import { beforeEach, describe, expect, it } from "vitest";
import type { TokenPair } from "../data/tokenPair.ts";
import { generate } from "../generation/generate.ts";
import { referenceWeights } from "../models/weights.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures, readFixtureText } from "../testing/fixtures.ts";
import { openStoriesSae, readSaeReference } from "../testing/saeChecks.ts";
import { openStories } from "../testing/storiesModel.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { encodePairs } from "./encodePairs.ts";
import { featureDetail } from "./featureDetail.ts";
import { directLogits } from "./featureLogits.ts";
import { featureTable } from "./featureTable.ts";
import { promptFeatures } from "./promptFeatures.ts";

/** Active at the last token of the reference's text more than any other. */
const strongest = 357;
const startToken = 1;

/** The first held-out pairs of the fixture's stories. */
async function storyPairs({ encode }: Tokenizer, count: number): Promise<TokenPair[]> {
  const text = (await readFixtureText("data/stories-sentiment/test.jsonl")) ?? "";
  return text
    .split("\n")
    .slice(0, count)
    .map((line, row) => {
      const read = JSON.parse(line) as Record<"prompt" | "chosen" | "rejected", string>;
      const ids = (part: keyof typeof read) =>
        Int32Array.from(encode(read[part], { addSpecialTokens: part === "prompt" }));
      return { prompt: ids("prompt"), chosen: ids("chosen"), rejected: ids("rejected"), row };
    });
}

async function openReader() {
  const [{ model, tokenizer }, sae] = await Promise.all([openStories(), openStoriesSae()]);
  return { reader: { model, weights: referenceWeights(model), sae, startToken }, tokenizer };
}

describe.skipIf(!hasFixtures)("features of the fixture autoencoder", () => {
  beforeEach(() => openTestDevice("cpu"));

  it("are the reference's, token by token", { timeout: 60_000 }, async () => {
    const [{ reader }, reference] = await Promise.all([openReader(), readSaeReference()]);
    const ids = Int32Array.from(reference.ids);
    const found = await promptFeatures(reader, ids, { tokens: [], names: [] });
    expect([...found.l0]).toEqual([0, ...reference.l0.slice(1)]);
    const count = found.features.length;
    const last = [...found.features].map((feature, place) => ({
      feature,
      value: found.activations[(ids.length - 1) * count + place]!,
    }));
    const top = last.sort((a, b) => b.value - a.value).slice(0, 10);
    reference.last_token_top.slice(0, 10).forEach(([feature, value], rank) => {
      expect(top[rank]!.feature).toBe(feature);
      expect(top[rank]!.value).toBeCloseTo(value, 3);
    });
  });

  it("are named, shown and measured on stories", { timeout: 120_000 }, async () => {
    const { reader, tokenizer } = await openReader();
    const pairs = await storyPairs(tokenizer, 8);
    const before = await encodePairs(reader, pairs);
    const corpus = { pairs, startToken, before, after: null };
    const table = featureTable(corpus, tokenizer);
    // Held-out stories of its training: 0.059 of the variance, 12.07 active features (metrics.json).
    expect(table.unexplained).toBeGreaterThan(0.04);
    expect(table.unexplained).toBeLessThan(0.075);
    expect(Math.abs(table.l0 - 12)).toBeLessThan(1.5);
    expect(table.names[strongest]).toBe("to");
    const logits = await directLogits(reader, strongest);
    const name = table.names[strongest] ?? "";
    const detail = featureDetail(corpus, strongest, { name, logits, decoder: tokenizer });
    const [first] = detail.intervals[0]!.examples;
    expect(first!.tokens[first!.peak]).toBe(" to");
    expect(first!.activations[first!.peak]).toBeCloseTo(table.max[strongest]!, 6);
    // After "to" no number follows.
    expect(detail.negative[0]!.token).toMatch(/^\d$/);
    const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(detail.before.chosen)).toBeCloseTo(table.chosenMean[strongest]!, 5);
    expect(mean(detail.before.rejected)).toBeCloseTo(table.rejectedMean[strongest]!, 5);
  });

  it("change what is written when one is steered", { timeout: 120_000 }, async () => {
    const { reader, tokenizer } = await openReader();
    const prompt = Int32Array.from(tokenizer.encode("Once upon a time", { addSpecialTokens: true }));
    const written = async (value: number) => {
      const steering = { sae: reader.sae, feature: strongest, mode: "add", value, startToken } as const;
      const options = { maxNewTokens: 12, temperature: 0, seed: 1, stopTokenIds: [], steering };
      return generate(reader.model, reader.weights, [prompt], options);
    };
    const plain = await written(0);
    expect(tokenizer.decode(plain[0]!)).toContain("there was a");
    expect(await written(12)).not.toEqual(plain);
  });
});
