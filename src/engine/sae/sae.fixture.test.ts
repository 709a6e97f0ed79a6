import { beforeEach, describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures } from "../testing/fixtures.ts";
import { checkFeatureLosses } from "../testing/featureLossChecks.ts";
import { checkStoriesSae, storiesSaeFiles } from "../testing/saeChecks.ts";
import { checkFits } from "./checkFits.ts";
import type { SaeFile } from "./layouts/layout.ts";
import { readSae } from "./readSae.ts";
import { saveSae } from "./saveSae.ts";

/** Largest difference of drifts and gradients, as a share of the largest of each array. */
const TOLERANCE = 1e-4;

const readWhole = (files: readonly SaeFile[]) => readSae(files, { needsDecoder: true });

describe.skipIf(!hasFixtures)("sparse features on the cpu equal the float64 references", () => {
  beforeEach(async () => {
    await openTestDevice("cpu");
  });

  it.each(["SAELens 6", "Gemma Scope 1", "Gemma Scope 2"] as const)(
    "in the fixture autoencoder as %s keeps it",
    { timeout: 60_000 },
    (layout) => checkStoriesSae(layout),
  );

  it.each(["small", "padded", "peaky"])("in the drifts and gradients of %s", { timeout: 60_000 }, (name) =>
    checkFeatureLosses(name, TOLERANCE),
  );
});

describe.skipIf(!hasFixtures)("the fixture autoencoder", () => {
  it("is the same, bit for bit, in all layouts", async () => {
    const { hook, modelName, ...arrays } = await readWhole(await storiesSaeFiles("SAELens 6"));
    expect([hook, modelName]).toEqual(["blocks.2.hook_resid_post", "stories260K"]);
    const second = await readWhole(await storiesSaeFiles("Gemma Scope 2"));
    expect(second).toEqual({ ...arrays, hook: "model.layers.2.output", modelName });
    const first = await readWhole(await storiesSaeFiles("Gemma Scope 1"));
    expect(first).toEqual({ ...arrays, hook, modelName: null });
    expect(arrays.decoder).toHaveLength(arrays.width * arrays.inputSize);
  });

  it("is read from where it lies, without the half that is not asked for", async () => {
    const [archive] = await storiesSaeFiles("Gemma Scope 1");
    const bytes = archive!.bytes as Uint8Array<ArrayBuffer>;
    const ranges: (readonly [number, number])[] = [];
    const blob = new Blob([bytes]);
    const slice = blob.slice.bind(blob);
    blob.slice = (begin = 0, end = 0) => {
      ranges.push([begin, end]);
      return slice(begin, end);
    };
    const whole = await readWhole([archive!]);
    const half = await readSae([{ name: archive!.name, bytes: blob }]);
    expect(half).toEqual({ ...whole, decoder: null, decoderBias: null });
    // The first range is where the directory is looked for; the decoder's member lies before the end of W_dec's data.
    const [start, end] = [131_259, 262_518] as const;
    expect(ranges.slice(1).filter(([begin, until]) => begin < end && until > start)).toEqual([]);
    expect(ranges.length).toBeGreaterThan(6);
  });

  it("is the same after it was saved and read again", async () => {
    const arrays = await readWhole(await storiesSaeFiles("SAELens 6"));
    expect(await readWhole(saveSae(arrays))).toEqual(arrays);
  });

  it("fits its own model alone", async () => {
    const arrays = await readSae(await storiesSaeFiles("SAELens 6"));
    checkFits(arrays, { hiddenSize: 64, layers: 3 });
    expect(() => checkFits(arrays, { hiddenSize: 288, layers: 6 })).toThrow(
      "rows of 64 numbers, and the model's stream has 288",
    );
    expect(() => checkFits(arrays, { hiddenSize: 64, layers: 2 })).toThrow(
      "after block 2, and the last block of the model's 2 is 1",
    );
  });
});
