/** The autoencoders that come along must be as good as their card says, and made for the model that comes along. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { embeddedDatasets, embeddedModels, embeddedSaes } from "../data/embedded.ts";
import { readDataSet } from "../data/readDataSet.ts";
import { tokenizePairs } from "../data/tokenizePairs.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { loadModel, type LoadedModel } from "../models/loadModel.ts";
import { createReferenceCache } from "../reference/referenceCache.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { rememberReference } from "../training/referencePass.ts";
import { checkFits } from "./checkFits.ts";
import { readSae } from "./readSae.ts";
import { uploadSae, type SparseAutoencoder } from "./sparseAutoencoder.ts";
import { collectActivations, pairTexts, type StreamRows } from "./training/collectActivations.ts";
import { measureSae } from "./training/measureSae.ts";

const publicFolder = join(import.meta.dirname, "../../../public");
const bytesOf = (path: string) => new Uint8Array(readFileSync(join(publicFolder, path)));

/** Every so many held-out pairs are run again; an odd number, because objectives alternate in a set. */
const STRIDE = 7;
/** A part of the pairs differs from all of them by about this share. */
const TOLERANCE = 0.1;
const MOST_BYTES_PER_PAIR = 1000;
/** The stream behind the last block says little more than the next token; those before it are richer. */
const mostUnexplained: Readonly<Record<string, number>> = {
  "story-2": 0.05,
  "story-1": 0.15,
  "story-0": 0.15,
};
const MAX_TOKENS = 128;

/** The card's figures by id: unexplained share, active features, dead features in percent, bytes per pair by set. */
const card = new Map(
  readFileSync(join(publicFolder, "saes/SAE_CARD.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| story-"))
    .map((line) => {
      const [id, , , , ...figures] = line.split("|").slice(1, -1);
      return [id!.trim(), figures.map((figure) => Number.parseFloat(figure))] as const;
    }),
);

let loaded: LoadedModel;
let sets: readonly (readonly TokenPair[])[];

beforeAll(async () => {
  await openTestDevice("cpu");
  const [story] = embeddedModels;
  loaded = await loadModel(
    story!.files.map((name) => ({ name, bytes: bytesOf(`${story!.folder}/${name}`) })),
  );
  const options = { tokenizer: loaded.tokenizer, maxTokens: MAX_TOKENS };
  sets = await Promise.all(
    embeddedDatasets.map(async ({ files: { heldout: name } }) => {
      const { rows } = await readDataSet([{ name, bytes: bytesOf(name) }]);
      return tokenizePairs(rows, options).pairs.filter((_, index) => index % STRIDE === 0);
    }),
  );
});

async function streamOf(layer: number): Promise<StreamRows> {
  const { model, tokenizer } = loaded;
  const texts = pairTexts(sets.flat());
  const work = collectActivations({ model, layer, texts, startToken: tokenizer.bosTokenId });
  for (;;) {
    const { done, value } = await work.next();
    if (done === true) return value;
  }
}

async function bytesPerPair(sae: SparseAutoencoder, pairs: readonly TokenPair[]): Promise<number> {
  const cache = createReferenceCache();
  const errors = { mode: "paper", topK: 1 } as const;
  const tap = { saes: [sae], errors, startToken: loaded.tokenizer.bosTokenId };
  const options = { batchPairs: 8, needs: { hidden: false, features: true }, tap };
  for await (const _progress of rememberReference(loaded.model, cache, pairs, options));
  return cache.bytes() / pairs.length;
}

function expectNear(actual: number, stated: number | undefined, what: string): void {
  expect(Math.abs(actual / stated! - 1), `${what}: ${actual}, stated ${stated}`).toBeLessThan(TOLERANCE);
}

describe.each(embeddedSaes)("$label", ({ id, model, layer, folder, files }) => {
  it("is what its card says", { timeout: 120_000 }, async () => {
    expect(model).toBe(embeddedModels[0]?.id);
    const arrays = await readSae(
      files.map((name) => ({ name: `${folder}/${name}`, bytes: bytesOf(`${folder}/${name}`) })),
      { needsDecoder: true },
    );
    expect(arrays).toMatchObject({ layer, modelName: model });
    checkFits(arrays, loaded.model.config);
    const sae = uploadSae(arrays, { needsDecoder: true });
    const [unexplained, l0, deadPercent, ...bytes] = card.get(id)!;
    const found = await measureSae(sae, await streamOf(layer));
    expectNear(found.unexplained, unexplained, "unexplained");
    expect(unexplained).toBeLessThan(mostUnexplained[id]!);
    expectNear(found.l0, l0, "active features");
    // A part of the pairs can only leave more features silent.
    expect(100 * found.dead).toBeGreaterThanOrEqual(deadPercent! - 0.05);
    for (const [index, pairs] of sets.entries()) {
      const taken = await bytesPerPair(sae, pairs);
      expectNear(taken, bytes[index], `bytes per pair of ${embeddedDatasets[index]?.label}`);
      expect(bytes[index]).toBeLessThanOrEqual(MOST_BYTES_PER_PAIR);
    }
    sae.dispose();
  });
});
