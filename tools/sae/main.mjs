/**
 * Trains the autoencoders that come with the embedded model, on the stream of its preference sets, and writes them and
 * their card into `public/saes`: `npm run make:saes`. `--only story-2` leaves the others and the card as they are,
 * `--out FOLDER` writes elsewhere; `--steps`, `--width` and `--k` try something else.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot } from "../scripts/run.mjs";
import { cardOf } from "./card.mjs";

const MAX_TOKENS = 128;
const BATCH_PAIRS = 16;
const common = { steps: 1000, batchRows: 256, learningRate: 0.01, seed: 0 };
/** As many active features as leave what is remembered of a mean pair under 1000 bytes. */
const sizes = {
  "story-2": { width: 384, k: 5 },
  "story-1": { width: 512, k: 4 },
  "story-0": { width: 512, k: 4 },
};

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    steps: { type: "string" },
    k: { type: "string" },
    width: { type: "string" },
    out: { type: "string", default: join(projectRoot, "public", "saes") },
  },
});
const changes = Object.fromEntries(
  ["steps", "width", "k"].flatMap((name) =>
    options[name] === undefined ? [] : [[name, Number(options[name])]],
  ),
);

const publicBytes = async (path) => new Uint8Array(await readFile(join(projectRoot, "public", path)));
const say = (line) => process.stdout.write(process.stdout.isTTY ? `\r${line.padEnd(70)}` : "");

/** The embedded model on the cpu backend. */
async function openModel(load) {
  const { openDevice } = await load("src/engine/tensor/device.ts");
  const { loadModel } = await load("src/engine/models/loadModel.ts");
  const { embeddedModels } = await load("src/engine/data/embedded.ts");
  await openDevice({ backend: "cpu" });
  const [{ id, folder, files }] = embeddedModels;
  const bytes = await Promise.all(
    files.map(async (name) => ({ name, bytes: await publicBytes(`${folder}/${name}`) })),
  );
  const { model, tokenizer } = await loadModel(bytes);
  return { id, model, tokenizer, startToken: tokenizer.bosTokenId };
}

/** Token pairs of a split, by preference set. */
async function readSets(load, { tokenizer }, split) {
  const { embeddedDatasets } = await load("src/engine/data/embedded.ts");
  const { readDataSet } = await load("src/engine/data/readDataSet.ts");
  const { tokenizePairs } = await load("src/engine/data/tokenizePairs.ts");
  return Promise.all(
    embeddedDatasets.map(async ({ label, files }) => {
      const name = files[split];
      const { rows } = await readDataSet([{ name, bytes: await publicBytes(name) }]);
      return { label, pairs: tokenizePairs(rows, { tokenizer, maxTokens: MAX_TOKENS }).pairs };
    }),
  );
}

async function collect(load, { model, startToken }, { sets, layer }) {
  const { collectActivations, pairTexts } = await load("src/engine/sae/training/collectActivations.ts");
  const texts = pairTexts(sets.flatMap(({ pairs }) => pairs));
  const work = collectActivations({ model, layer, texts, startToken });
  for (;;) {
    const { done, value } = await work.next();
    if (done) return value;
    say(`layer ${layer}: ${value.done} of ${value.total} texts`);
  }
}

/** The autoencoder after the last step, and how good it is on held-out pairs. */
async function train(load, training) {
  const { trainSae } = await load("src/engine/sae/training/trainSae.ts");
  const { layer, steps } = training.settings;
  let last = null;
  for await (const report of trainSae(training)) {
    if (report.kind === "step")
      say(`layer ${layer}: step ${report.step} of ${steps}, FVU ${report.metrics.unexplained.toFixed(4)}`);
    if (report.kind === "evaluation") last = report;
  }
  return last;
}

/** Mean bytes that the reference's features and log-probs of a pair take, by preference set. */
async function bytesPerPair(load, { model, startToken }, { arrays, sets }) {
  const { createReferenceCache } = await load("src/engine/reference/referenceCache.ts");
  const { uploadSae } = await load("src/engine/sae/sparseAutoencoder.ts");
  const { rememberReference } = await load("src/engine/training/referencePass.ts");
  const sae = uploadSae(arrays);
  const tap = { saes: [sae], startToken, errors: { mode: "paper", topK: 1 } };
  const needs = { hidden: false, features: true };
  const bytes = [];
  for (const { pairs } of sets) {
    const cache = createReferenceCache();
    for await (const _ of rememberReference(model, cache, pairs, { batchPairs: BATCH_PAIRS, needs, tap }));
    bytes.push(cache.bytes() / cache.records().size);
  }
  sae.dispose();
  return bytes;
}

async function write(load, folder, arrays) {
  const { saveSae } = await load("src/engine/sae/saveSae.ts");
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of saveSae(arrays)) await writeFile(join(folder, name), bytes);
}

await withEngine(async (load) => {
  const { embeddedSaes } = await load("src/engine/data/embedded.ts");
  const opened = await openModel(load);
  const [trained, heldout] = [await readSets(load, opened, "train"), await readSets(load, opened, "heldout")];
  const rows = [];
  for (const { id, folder, layer } of embeddedSaes) {
    if (options.only !== undefined && options.only !== id) continue;
    const settings = { ...common, ...sizes[id], ...changes, layer };
    const { sae: arrays, metrics } = await train(load, {
      settings,
      rows: await collect(load, opened, { sets: trained, layer }),
      heldout: await collect(load, opened, { sets: heldout, layer }),
      modelName: opened.id,
      evalEvery: 0,
    });
    const bytes = await bytesPerPair(load, opened, { arrays, sets: heldout });
    await write(load, join(options.out, folder.split("/").at(-1)), arrays);
    rows.push({ id, settings, metrics, bytes });
    say("");
    console.log(`\r${id}: ${JSON.stringify({ ...metrics, bytes })}`);
  }
  if (options.only !== undefined) return;
  const labels = heldout.map(({ label }) => label);
  const card = cardOf({ common, inputSize: opened.model.config.hiddenSize, labels, rows });
  await writeFile(join(options.out, "SAE_CARD.md"), card);
  console.log(`\n${card}`);
});
