/**
 * Trains the reward models that come with the embedded model, on the train splits of its preference sets, and writes them and
 * their card into `public/rewards`: `npm run make:rewards`. `--only story-kind` leaves the others and the card as they are,
 * `--out FOLDER` writes elsewhere; `--steps`, `--rate`, `--rank`, `--pairs` and `--seed` try something else.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot } from "../scripts/run.mjs";
import { cardOf } from "./card.mjs";

const MAX_TOKENS = 128;
/** One epoch of 640 pairs; of rank 4, an adapter on all linears takes about 100 kB. */
const common = {
  steps: 40,
  batchPairs: 16,
  learningRate: 0.003,
  loraRank: 4,
  loraAlpha: 8,
  centering: 0.01,
};

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    steps: { type: "string" },
    rate: { type: "string" },
    rank: { type: "string" },
    pairs: { type: "string" },
    centering: { type: "string" },
    seed: { type: "string", default: "0" },
    out: { type: "string", default: join(projectRoot, "public", "rewards") },
  },
});
const names = {
  steps: "steps",
  rate: "learningRate",
  rank: "loraRank",
  pairs: "batchPairs",
  centering: "centering",
};
const changes = Object.fromEntries(
  Object.entries(names).flatMap(([option, name]) =>
    options[option] === undefined ? [] : [[name, Number(options[option])]],
  ),
);
const settings = { ...common, ...changes, seed: Number(options.seed) };

const publicBytes = async (path) => new Uint8Array(await readFile(join(projectRoot, "public", path)));
const say = (line) => process.stdout.write(process.stdout.isTTY ? `\r${line.padEnd(70)}` : "");

/** The embedded model on the cpu backend. */
async function openModel(load) {
  const { openDevice } = await load("src/engine/tensor/device.ts");
  const { loadModel } = await load("src/engine/models/loadModel.ts");
  const { embeddedModels } = await load("src/engine/data/embedded.ts");
  await openDevice({ backend: "cpu" });
  const [{ folder, files }] = embeddedModels;
  const bytes = await Promise.all(
    files.map(async (name) => ({ name, bytes: await publicBytes(`${folder}/${name}`) })),
  );
  return loadModel(bytes);
}

/** Token pairs of one objective of a set's split, and the set's name. */
async function readPairs(load, { tokenizer }, { data, objective }, split) {
  const { embeddedDatasets } = await load("src/engine/data/embedded.ts");
  const { readDataSet } = await load("src/engine/data/readDataSet.ts");
  const { tokenizePairs } = await load("src/engine/data/tokenizePairs.ts");
  const { files, label, objectives } = embeddedDatasets.find(({ id }) => id === data);
  const name = files[split];
  const { rows } = await readDataSet([{ name, bytes: await publicBytes(name) }]);
  const own = objectives.length === 1 ? rows : rows.filter((row) => row.objective === objective);
  return { label, pairs: tokenizePairs(own, { tokenizer, maxTokens: MAX_TOKENS }).pairs };
}

/** The reward model after the last step. */
async function train(load, { id, model }, training) {
  const { trainRewardModel } = await load("src/engine/rewardModel/trainRewardModel.ts");
  const work = trainRewardModel(model, training);
  for (;;) {
    const { done, value } = await work.next();
    if (done) return value;
    say(`${id}: step ${value.step} of ${training.settings.steps}, loss ${value.loss.toFixed(4)}`);
  }
}

/** What the three files say when they are read again. */
async function measure(load, { model }, { files, pairs, about }) {
  const { readRewardModel } = await load("src/engine/rewardModel/rewardFiles.ts");
  const { placeRewardModel } = await load("src/engine/rewardModel/rewardModel.ts");
  const { measureQuality } = await load("src/engine/rewardModel/quality.ts");
  const { reward } = await readRewardModel(files, model);
  const placed = placeRewardModel(model, reward);
  const quality = await measureQuality(placed, pairs, about);
  placed.dispose();
  return quality;
}

await withEngine(async (load) => {
  const { embeddedRewardModels } = await load("src/engine/data/embedded.ts");
  const { saveRewardModel } = await load("src/engine/rewardModel/rewardFiles.ts");
  const opened = await openModel(load);
  const { model } = opened;
  const rows = [];
  for (const entry of embeddedRewardModels) {
    const { id, model: modelId, label, folder } = entry;
    if (options.only !== undefined && options.only !== id) continue;
    const trained = await readPairs(load, opened, entry, "train");
    const heldout = await readPairs(load, opened, entry, "heldout");
    const training = { trainPairs: trained.pairs, settings: { ...settings, label } };
    const reward = await train(load, { id, model }, training);
    const card = { label, model: modelId, quality: null };
    const quality = await measure(load, opened, {
      files: saveRewardModel(reward, card, model),
      pairs: heldout.pairs,
      about: { data: trained.label, trainPairs: trained.pairs.length },
    });
    const files = saveRewardModel(reward, { ...card, quality }, model);
    const target = join(options.out, folder.split("/").at(-1));
    await mkdir(target, { recursive: true });
    for (const { name, bytes } of files) await writeFile(join(target, name), bytes);
    rows.push({ id, quality, bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0) });
    say("");
    console.log(`\r${id}: ${JSON.stringify(quality)}`);
  }
  if (options.only !== undefined) return;
  const card = cardOf({ settings, rows });
  await writeFile(join(options.out, "REWARD_CARD.md"), card);
  console.log(`\n${card}`);
});
