/**
 * Scores every embedded pair under the embedded model and writes `reference.json` beside each preference set, so that
 * a first run needs no reference pass. `node tools/reference/main.mjs`
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot } from "../scripts/run.mjs";

const BATCH_PAIRS = 16;
/** Significant digits kept: those of a 32-bit float. */
const DIGITS = 8;
const MAX_TOKENS = 128;

const bytesOf = async (path) => new Uint8Array(await readFile(join(projectRoot, "public", path)));

await withEngine(async (load) => {
  const { openDevice } = await load("src/engine/tensor/device.ts");
  const { loadModel } = await load("src/engine/models/loadModel.ts");
  const { embeddedDatasets, embeddedModels } = await load("src/engine/data/embedded.ts");
  const { readDataSet } = await load("src/engine/data/readDataSet.ts");
  const { tokenizePairs } = await load("src/engine/data/tokenizePairs.ts");
  const { createReferenceCache, onlyLogps, pairKey } = await load("src/engine/reference/referenceCache.ts");
  const { fingerprint } = await load("src/engine/reference/fingerprint.ts");
  const { rememberReference } = await load("src/engine/training/referencePass.ts");

  await openDevice({ backend: "cpu" });
  const [{ folder, files }] = embeddedModels;
  const modelFiles = await Promise.all(
    files.map(async (name) => ({ name, bytes: await bytesOf(`${folder}/${name}`) })),
  );
  const { model, tokenizer } = await loadModel(modelFiles);
  const weights = fingerprint(modelFiles.find(({ name }) => name === "model.safetensors").bytes);

  for (const { files: paths, reference } of embeddedDatasets) {
    const pairs = [];
    for (const path of Object.values(paths)) {
      const { rows } = await readDataSet([{ name: path, bytes: await bytesOf(path) }]);
      pairs.push(...tokenizePairs(rows, { tokenizer, maxTokens: MAX_TOKENS }).pairs);
    }
    const cache = createReferenceCache();
    const options = { batchPairs: BATCH_PAIRS, needs: onlyLogps };
    for await (const { done, total } of rememberReference(model, cache, pairs, options)) {
      if (process.stdout.isTTY) process.stdout.write(`\r${reference}: ${done} of ${total} pairs`);
    }
    const logps = Object.fromEntries(
      pairs.map((pair) => {
        const { chosen, rejected } = cache.get(pair);
        return [
          pairKey(pair),
          [chosen, rejected].map(({ sumLogps }) => Number(sumLogps.toPrecision(DIGITS))),
        ];
      }),
    );
    await writeFile(join(projectRoot, "public", reference), `${JSON.stringify({ weights, logps })}\n`);
    console.log(`${process.stdout.isTTY ? "\r" : ""}${reference}: ${pairs.length} pairs`);
  }
});
