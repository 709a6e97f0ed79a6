/** The numbers that come along must be those of the model that comes along. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { embeddedDatasets, embeddedModels } from "../data/embedded.ts";
import { readDataSet } from "../data/readDataSet.ts";
import { tokenizePairs } from "../data/tokenizePairs.ts";
import { loadModel } from "../models/loadModel.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { rememberReference } from "../training/referencePass.ts";
import { fingerprint } from "./fingerprint.ts";
import { createReferenceCache, onlyLogps, shippedRecords, type ShippedReference } from "./referenceCache.ts";

const bytesOf = (path: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, "../../../public", path)));
const [story] = embeddedModels;
const files = (story?.files ?? []).map((name) => ({ name, bytes: bytesOf(`${story?.folder}/${name}`) }));
const weights = fingerprint(bytesOf(`${story?.folder}/model.safetensors`));

/** Every so many pairs are scored again. */
const STRIDE = 40;
const TOLERANCE = 1e-3;

describe.each(embeddedDatasets.map((dataset) => [dataset.id, dataset] as const))("%s", (_, dataset) => {
  it("has the embedded model's log-probs of every pair", { timeout: 60_000 }, async () => {
    await openTestDevice("cpu");
    const { model, tokenizer, dispose } = await loadModel(files);
    const shipped = JSON.parse(new TextDecoder().decode(bytesOf(dataset.reference))) as ShippedReference;
    const remembered = createReferenceCache(shippedRecords(shipped, weights));
    const sets = await Promise.all(
      Object.values(dataset.files).map((name) => readDataSet([{ name, bytes: bytesOf(name) }])),
    );
    const pairs = sets.flatMap(({ rows }) => tokenizePairs(rows, { tokenizer, maxTokens: 128 }).pairs);
    expect(remembered.missing(pairs)).toEqual([]);
    const again = createReferenceCache();
    const some = pairs.filter((_pair, index) => index % STRIDE === 0);
    const options = { batchPairs: 8, needs: onlyLogps };
    for await (const _progress of rememberReference(model, again, some, options));
    for (const pair of some) {
      for (const side of ["chosen", "rejected"] as const) {
        expect(
          Math.abs(
            (again.get(pair)?.[side].sumLogps ?? NaN) - (remembered.get(pair)?.[side].sumLogps ?? NaN),
          ),
        ).toBeLessThan(TOLERANCE);
      }
    }
    dispose();
  });
});
