import { describe, expect, it } from "vitest";
import { openTestDevice } from "../../tensor/testing.ts";
import { hasFixtures, readFixtureText } from "../../testing/fixtures.ts";
import { openStories } from "../../testing/storiesModel.ts";
import { readSae } from "../readSae.ts";
import { saveSae, type SavedFile } from "../saveSae.ts";
import { uploadSae } from "../sparseAutoencoder.ts";
import { collectActivations, countRows, type CollectOptions, type StreamRows } from "./collectActivations.ts";
import { measureSae } from "./measureSae.ts";
import { defaultSaeSettings } from "./saeSettings.ts";
import { trainSae } from "./trainSae.ts";

/** Beginnings of stories are cheaper to run than whole ones. */
const MAX_TOKENS = 128;
const HELDOUT_TEXTS = 100;
const TRAIN_TEXTS = 400;
const STEPS = 400;

/** What is promised of an autoencoder with 512 features of which 12 are active. */
const MOST_UNEXPLAINED = 0.08;
const L0_TOLERANCE = 0.1;

async function collect(options: CollectOptions): Promise<StreamRows> {
  const work = collectActivations(options);
  for (;;) {
    const { done, value } = await work.next();
    if (done === true) return value;
  }
}

describe.skipIf(!hasFixtures)("training an autoencoder on the fixture model", () => {
  it("explains held-out stories with few features, none of them dead", { timeout: 600_000 }, async () => {
    await openTestDevice("cpu");
    const { model, tokenizer, dispose } = await openStories();
    const text = await readFixtureText("data/tinystories-1000/tinystories_1000.json");
    const texts = (JSON.parse(text!) as string[])
      .slice(0, HELDOUT_TEXTS + TRAIN_TEXTS)
      .map((story) =>
        Int32Array.from(tokenizer.encode(story, { addSpecialTokens: true }).slice(0, MAX_TOKENS)),
      );
    const settings = { ...defaultSaeSettings(model.config), steps: STEPS };
    const { layer, width, k } = settings;
    expect({ layer, width, k }).toEqual({ layer: 2, width: 512, k: 12 });
    const options = { model, layer, startToken: tokenizer.bosTokenId };
    const heldout = await collect({ ...options, texts: texts.slice(0, HELDOUT_TEXTS) });
    const rows = await collect({ ...options, texts: texts.slice(HELDOUT_TEXTS) });
    expect(countRows(heldout)).toBeGreaterThan(10_000);

    let files: readonly SavedFile[] = [];
    const training = { settings, rows, heldout, modelName: "stories260K", evalEvery: 0 };
    for await (const report of trainSae(training))
      if (report.kind === "evaluation") files = saveSae(report.sae);
    // What counts is what comes out of the files again.
    const sae = uploadSae(await readSae(files, { needsDecoder: true }), { needsDecoder: true });
    const { unexplained, l0, dead } = await measureSae(sae, heldout);
    sae.dispose();
    dispose();
    expect(unexplained).toBeLessThanOrEqual(MOST_UNEXPLAINED);
    expect(Math.abs(l0 / k - 1)).toBeLessThanOrEqual(L0_TOLERANCE);
    expect(dead).toBe(0);
  });
});
