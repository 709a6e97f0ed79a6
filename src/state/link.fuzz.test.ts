import { expect, it } from "vitest";
import { mutants } from "../engine/testing/mutations.ts";
import { runConfigSchema } from "../engine/training/config.ts";
import { readLink } from "./link.ts";
import { testDescription } from "./testDescription.ts";

const MUTANTS = 10_000;

const good = [
  "#/train?preset=tiny-dpo&method=tdpo2&beta=0.2&steps=40&loraTargets=q_proj,v_proj&seed=3&v=1",
  '#/data?view=health&dataSteps=[{"kind":"flip","share":0.2,"seed":1}]&dataColumns={"prompt":"q"}&seed=1&v=1',
  "#/features?view=held&feature=12&heldFeatures=1,2,3&saes=story-1,story-2&baseWeights=q4&seed=1&v=9",
].map((link) => new TextEncoder().encode(link));

it(`reads a setup that can be used from ${MUTANTS} damaged links`, () => {
  let skipped = 0;
  for (const bytes of mutants(good, { count: MUTANTS, seed: 3 })) {
    const read = readLink(new TextDecoder().decode(bytes), testDescription);
    expect(runConfigSchema.safeParse(read.config).success).toBe(true);
    skipped += read.skipped.length;
  }
  expect(skipped).toBeGreaterThan(1000);
});
