/**
 * Adapters, reward models and merged weights that leave the studio are opened by Python's PEFT and transformers, and adapters
 * and reward models of PEFT by the studio: `npm run interop`. `--python PATH` takes another interpreter than `python3`; it needs what `requirements.txt`
 * lists, and without that nothing is compared and it says so. The figures are written to `adapters.json`, but with `--check`.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot } from "../scripts/run.mjs";

const run = promisify(execFile);
/** Between logits of the studio and of PEFT, and between rewards as a share of the largest. */
const TOLERANCE = 1e-3;
const here = join(projectRoot, "tools", "interop");
const script = join(here, "adapters.py");
const IDS = [1, 5, 9, 30, 12, 7, 40, 3, 22];

const { values: options } = parseArgs({
  options: { python: { type: "string", default: "python3" }, check: { type: "boolean", default: false } },
});

async function python(...given) {
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: "", HF_HUB_OFFLINE: "1" };
  const { stdout } = await run(options.python, [script, ...given], { env, maxBuffer: 2 ** 28 });
  return stdout.trim();
}

/** Why Python cannot be asked; null where it can. */
async function whatIsMissing() {
  try {
    await python("has");
    return null;
  } catch (error) {
    const lines = String(error.stderr ?? error)
      .trim()
      .split("\n");
    return lines.at(-1);
  }
}

async function writeFolder(folder, files) {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) {
    const whole = bytes instanceof Blob ? new Uint8Array(await bytes.arrayBuffer()) : bytes;
    await writeFile(join(folder, name), whole);
  }
}

/** transformers asks for what the studio can do without. */
function withModelType({ name, bytes }) {
  if (name !== "config.json") return { name, bytes };
  const config = { model_type: "llama", ...JSON.parse(new TextDecoder().decode(bytes)) };
  return { name, bytes: new TextEncoder().encode(JSON.stringify(config)) };
}

async function readFolder(folder) {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(folder, name))) })),
  );
}

/** What of the studio is used, by the names of its modules. */
async function loadStudio(load) {
  const paths = {
    device: "src/engine/tensor/device.ts",
    run: "src/engine/tensor/run.ts",
    loadModel: "src/engine/models/loadModel.ts",
    modelSource: "src/engine/models/modelSource.ts",
    weights: "src/engine/models/weights.ts",
    decoder: "src/engine/models/decoder.ts",
    batch: "src/engine/data/batch.ts",
    random: "src/engine/data/random.ts",
    deviceBatch: "src/engine/training/deviceBatch.ts",
    scoring: "src/engine/training/scoring.ts",
    parts: "src/engine/training/parts.ts",
    policy: "src/engine/training/policy.ts",
    config: "src/engine/training/config.ts",
    matmul: "src/engine/kernels/matmul/matmul.ts",
    peft: "src/engine/adapters/peft.ts",
    fit: "src/engine/adapters/fitAdapter.ts",
    standing: "src/engine/adapters/standing.ts",
    exporting: "src/worker/exporting.ts",
    rewardModel: "src/engine/rewardModel/rewardModel.ts",
    trainReward: "src/engine/rewardModel/trainRewardModel.ts",
    rewardFiles: "src/engine/rewardModel/rewardFiles.ts",
    store: "src/storage/memoryStore.ts",
    tiny: "src/worker/tinyStudio.testing.ts",
  };
  const modules = {};
  for (const path of Object.values(paths)) Object.assign(modules, await load(path));
  return modules;
}

/** Logits of every token but the last, under the model with what stands on it. */
async function logitsOf(studio, model) {
  const weights = studio.referenceWeights(model);
  const batch = studio.uploadBatch(studio.flatBatch([{ tokens: Int32Array.from(IDS), scoredFrom: 1 }]), [
    null,
  ]);
  const hidden = studio.atOnce(studio.scoredStates(model, weights, batch));
  const head = studio.parameter(weights, studio.headName(model.config));
  const logits = studio.matmul(hidden, head, { form: "abt" });
  const values = await studio.read(logits);
  batch.dispose();
  studio.dispose([hidden, logits]);
  return Float32Array.from(values);
}

/** The largest difference from Python's rows, of which the last has no partner here. */
function worst(own, rows) {
  const other = rows.slice(0, -1).flat();
  if (other.length !== own.length) throw new Error(`${own.length} logits here, ${other.length} in Python.`);
  return Math.max(...other.map((value, at) => Math.abs(value - own[at])));
}

/** A run of no step whose adapter has random values everywhere. */
function randomRun(studio, model) {
  const config = { ...studio.defaultConfig, loraRank: 4, loraAlpha: 6, backend: "cpu" };
  const policy = studio.createPolicy(model, config);
  const random = studio.createRandom(1);
  const drawn = ({ size }) => Float32Array.from({ length: size }, () => 0.3 * random.gaussian());
  const tensors = Object.fromEntries(policy.trainables.map(({ name, tensor }) => [name, drawn(tensor)]));
  policy.dispose();
  const checkpoint = { runId: "interop", step: 1, activeMs: 0, tensors };
  return { config, checkpoint, data: null, before: null, after: null };
}

async function logitsWith(studio, model, folder) {
  const [weights, config] = await Promise.all(
    ["adapter_model.safetensors", "adapter_config.json"].map(
      async (name) => new Uint8Array(await readFile(join(folder, name))),
    ),
  );
  const adapter = studio.fitAdapter(model.config, studio.readPeftAdapter({ weights, config }));
  const stood = studio.standOn(model, studio.sumAdapters([adapter]));
  const logits = await logitsOf(studio, stood.model);
  stood.dispose();
  return logits;
}

/** A reward model of no step with random values everywhere, as its files. */
async function randomRewardFiles(studio, model) {
  const settings = { steps: 0, batchPairs: 1, loraRank: 4, loraAlpha: 6, seed: 0 };
  const ids = Int32Array.from(IDS);
  const trainPairs = [{ prompt: ids, chosen: ids, rejected: ids, row: 0 }];
  const { value: fresh } = await studio.trainRewardModel(model, { trainPairs, settings }).next();
  const random = studio.createRandom(3);
  const drawn = (values) => values.map(() => 0.3 * random.gaussian());
  const adapter = new Map(
    [...fresh.adapter].map(([name, own]) => [name, { ...own, a: drawn(own.a), b: drawn(own.b) }]),
  );
  const card = { label: "random", model: "base", quality: null };
  return studio.saveRewardModel({ ...fresh, adapter, head: drawn(fresh.head) }, card, model);
}

/** Rewards of every beginning of the text. */
async function rewardsWith(studio, model, folder) {
  const { reward } = await studio.readRewardModel(await readFolder(folder), model);
  const placed = studio.placeRewardModel(model, reward);
  const prompt = Int32Array.from(IDS.slice(0, 1));
  const rewards = await placed.score(
    IDS.map((_, at) => ({ prompt, answer: Int32Array.from(IDS.slice(1, at + 1)) })),
  );
  placed.dispose();
  return rewards;
}

/** The largest difference of rewards, as a share of the largest reward. */
function worstShare(own, theirs) {
  const largest = Math.max(...theirs.map(Math.abs));
  return Math.max(...theirs.map((value, at) => Math.abs(value - own[at]))) / largest;
}

/** Reward models of the studio in transformers and PEFT, and theirs here. */
async function compareRewards(studio, model, { folder, target }) {
  const [reward, made] = ["reward", "classifier"].map((part) => join(target, part));
  await writeFolder(reward, await randomRewardFiles(studio, model));
  const there = JSON.parse(await python("score", folder, reward, made, JSON.stringify(IDS)));
  return {
    "reward model in transformers": worstShare(await rewardsWith(studio, model, reward), there.given),
    "PEFT's classifier here": worstShare(await rewardsWith(studio, model, made), there.made),
  };
}

async function compare(studio, { name, folder }, work) {
  const files = await readFolder(folder);
  const { model, dispose } = await studio.loadModel(files);
  const base = await studio.openModel(files);
  const sources = {
    owner: { id: name, model },
    base: () => Promise.resolve(base),
    run: randomRun(studio, model),
    standing: [],
    license: null,
    weights: "keep",
    store: studio.memoryStore(),
  };
  for (const kind of ["adapter", "merged"]) {
    await writeFolder(join(work, name, kind), await studio.exportModel({ kind, isZip: false }, sources));
  }
  const ids = JSON.stringify(IDS);
  const [adapter, merged, made] = ["adapter", "merged", "made"].map((part) => join(work, name, part));
  const there = JSON.parse(await python("load", folder, adapter, merged, ids));
  const own = await logitsWith(studio, model, adapter);
  const bare = await logitsOf(studio, model);
  const figures = {
    "what the adapter changes": worst(bare, there.adapter),
    "exported adapter in PEFT": worst(own, there.adapter),
    "merged folder in transformers": worst(own, there.merged),
  };
  const theirs = JSON.parse(await python("make", folder, made, ids));
  for (const [type, rows] of Object.entries(theirs)) {
    figures[`PEFT adapter here, ${type}`] = worst(await logitsWith(studio, model, join(made, type)), rows);
  }
  Object.assign(figures, await compareRewards(studio, model, { folder, target: join(work, name) }));
  dispose();
  return figures;
}

async function main() {
  const missing = await whatIsMissing();
  if (missing !== null) {
    console.log(`interop: SKIPPED, nothing was compared: ${options.python} says "${missing}".`);
    console.log("interop: pip install -r tools/interop/requirements.txt, or --python PATH.");
    return;
  }
  const work = await mkdtemp(join(tmpdir(), "prefscope-interop-"));
  const found = {};
  try {
    await withEngine(async (load) => {
      const studio = await loadStudio(load);
      await studio.openDevice({ backend: "cpu" });
      await writeFolder(join(work, "tiny-llama"), studio.tinyModelFiles().map(withModelType));
      const models = [
        { name: "tiny", folder: join(work, "tiny-llama") },
        { name: "story", folder: join(projectRoot, "public", "models", "story") },
      ];
      for (const model of models) {
        found[model.name] = await compare(studio, model, work);
        for (const [what, difference] of Object.entries(found[model.name])) {
          console.log(model.name.padEnd(8), what.padEnd(32), difference.toExponential(1));
        }
      }
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const rounded = (figures) =>
    Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(2))]));
  const page = Object.fromEntries(Object.entries(found).map(([name, figures]) => [name, rounded(figures)]));
  const what = "largest difference of logits; of rewards as a share of the largest";
  const record = { what, tolerance: TOLERANCE, ...page };
  if (!options.check) await writeFile(join(here, "adapters.json"), `${JSON.stringify(record, null, 2)}\n`);
  const failed = Object.values(found).flatMap(({ "what the adapter changes": change, ...others }) => [
    change > 0.1,
    ...Object.values(others).map((difference) => difference <= TOLERANCE),
  ]);
  if (failed.includes(false)) process.exitCode = 1;
  console.log(failed.includes(false) ? "interop: FAILED" : "interop: all within tolerance");
}

await main();
