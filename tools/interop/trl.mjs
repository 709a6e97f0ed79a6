/**
 * Runs exported projects in Python and compares their losses with the studio's, step by step: `node tools/interop/trl.mjs`
 * trains every objective on the embedded model, both here and with TRL on the CPU. `--only dpo,fpo` takes a few, `--python
 * PATH` another interpreter, which needs what `requirements.txt` lists. Results are written to `trl.md` beside it when all
 * objectives were run.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot } from "../scripts/run.mjs";

const run = promisify(execFile);
const TOLERANCE = 1e-3;
const here = join(projectRoot, "tools", "interop");

const { values: options } = parseArgs({
  options: { only: { type: "string" }, python: { type: "string", default: "python3" } },
});

/** A short run with a learning rate that moves the losses from the first step on. */
const changes = {
  steps: 4,
  batchPairs: 4,
  warmupSteps: 0,
  schedule: "constant",
  learningRate: 5e-3,
  loraRank: 4,
  loraAlpha: 8,
  evalEvery: 0,
  evalPairs: 8,
  samplePrompts: 1,
  sampleTokens: 1,
  backend: "cpu",
};

/** Settings beside the defaults of an objective that TRL has in another form, and sums. */
const variants = {
  "dpo smoothed": { method: "dpo", params: { labelSmoothing: 0.1 } },
  "ipo summed": { method: "ipo", params: { scale: 1 } },
  "wpo not clamped": { method: "wpo", params: { clamp: 0 } },
  "wdpo soft label": { method: "wdpo", params: { weighting: 3 } },
  "fpo released": { method: "fpo", params: { featureMode: 1 } },
  "fpo held": { method: "fpo", params: { featureMode: 2 }, heldFeatures: [3, 70, 200] },
  "dpo + 0.2 sft": { method: "dpo", sftWeight: 0.2 },
  "dpo + 0.5 ipo": { method: "dpo", secondMethod: "ipo", secondWeight: 0.5, second: true },
  "dpo on an adapter": { method: "dpo", isOnAdapter: true },
  "fpo on an adapter": { method: "fpo", isOnAdapter: true },
  "dpo all weights": { method: "dpo", tuning: "full", learningRate: 5e-5 },
};

async function publicBytes(path) {
  return new Uint8Array(await readFile(join(projectRoot, "public", path)));
}

/** A session on the embedded model, and the losses of the steps that it reports. */
async function openSession(load) {
  const { createSession } = await load("src/worker/session.ts");
  const losses = [];
  const listeners = new Set();
  const emit = (event) => {
    if (event.type === "steps") losses.push(...event.steps.map(({ metrics }) => metrics.loss));
    for (const listener of listeners) listener(event);
  };
  const session = createSession({ emit, fetchFile: publicBytes });
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "story", files: null, weights: "keep" });
  const ended = () =>
    new Promise((resolve, reject) => {
      const listener = (event) => {
        if (event.type === "failed") reject(new Error(event.error.message));
        if (event.type !== "phase" || event.phase !== "done") return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  return { session, losses, ended };
}

/** Pairs of the embedded set with weights of their own, as a file from a disk. */
async function weightedPairs() {
  const text = new TextDecoder().decode(await publicBytes("data/kind-endings/train.jsonl"));
  const rows = text
    .trim()
    .split("\n")
    .map((line, index) => JSON.stringify({ ...JSON.parse(line), weight: (index % 5) / 2 }));
  return { name: "weighted.jsonl", bytes: new TextEncoder().encode(rows.join("\n")) };
}

/** Losses of the studio's steps, and the project of the same setup. */
async function trainHere({ session, losses, ended }, config) {
  losses.length = 0;
  const isWeighted = config.method === "wdpo_column";
  await session.loadData({
    id: isWeighted ? "local" : config.data,
    objective: config.objective,
    files: isWeighted ? [await weightedPairs()] : null,
    maxTokens: config.maxTokens,
    terminator: config.terminator,
    layout: "",
    columns: {},
    steps: [],
  });
  await session.useAdapters({ adapters: config.adapters });
  const project = await session.exportProject({ config });
  const isOver = ended();
  await session.start({ runId: "interop", config, resume: null, isStepping: false });
  await isOver;
  return { losses: [...losses], project };
}

/** Keeps the adapter of a short run; what stands on the model is part of the next run's start and reference. */
async function makeAdapter(studio, config) {
  await trainHere(studio, config);
  const { id } = await studio.session.keepAdapter({ label: "interop" });
  return id;
}

/** Losses of the same steps in TRL. */
async function trainThere(project) {
  const folder = await mkdtemp(join(tmpdir(), "prefscope-trl-"));
  try {
    for (const { name, bytes } of project) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    const model = join(projectRoot, "public", "models", "story");
    const environment = { ...process.env, CUDA_VISIBLE_DEVICES: "", HF_HUB_OFFLINE: "1" };
    await run(options.python, ["train.py", "--model", model, "--output", "trained"], {
      cwd: folder,
      env: environment,
      maxBuffer: 2 ** 26,
    });
    const log = JSON.parse(await readFile(join(folder, "trained", "log.json"), "utf8"));
    return log.filter(({ loss }) => loss !== undefined).map(({ loss }) => loss);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configsOf(objectives, defaultConfig) {
  const paramsOf = (id) =>
    Object.fromEntries(objectives[id].parameters.map((spec) => [spec.key, spec.default]));
  const plain = Object.keys(objectives).map((id) => [id, { method: id, params: {} }]);
  return [...plain, ...Object.entries(variants)].map(
    ([name, { params = {}, second, isOnAdapter = false, ...others }]) => {
      const secondParams = Object.fromEntries(
        Object.entries(second ? paramsOf(others.secondMethod) : {}).map(([key, value]) => [
          `second.${key}`,
          value,
        ]),
      );
      const own = { ...paramsOf(others.method), ...secondParams, ...params };
      const data = others.method === "wdpo_column" ? { data: "local" } : {};
      return [name, { ...defaultConfig, ...changes, ...others, ...data, params: own }, isOnAdapter];
    },
  );
}

async function main() {
  const only = options.only?.split(",");
  const rows = [];
  await withEngine(async (load) => {
    const { objectives } = await load("src/engine/losses/index.ts");
    const { defaultConfig } = await load("src/engine/training/config.ts");
    const studio = await openSession(load);
    for (const [name, plain, isOnAdapter] of configsOf(objectives, defaultConfig)) {
      if (only !== undefined && !only.includes(name)) continue;
      try {
        const adapters = isOnAdapter ? [{ id: await makeAdapter(studio, plain), scale: 0.8 }] : [];
        const config = { ...plain, adapters, ...(isOnAdapter ? { seed: 11 } : {}) };
        const { losses, project } = await trainHere(studio, config);
        const there = await trainThere(project);
        const difference = Math.max(...losses.map((loss, step) => Math.abs(loss - (there[step] ?? NaN))));
        rows.push({ name, losses, there, difference });
      } catch (error) {
        rows.push({
          name,
          losses: [],
          there: [],
          difference: NaN,
          problem: String(error.stderr ?? error).slice(-600),
        });
      }
      const row = rows.at(-1);
      console.log(
        name.padEnd(22),
        row.difference.toExponential(1),
        row.losses.map((x) => x.toFixed(4)).join(" "),
        row.problem ?? "",
      );
    }
  });
  if (only === undefined) await writeFile(join(here, "trl.md"), pageOf(rows));
  if (rows.some(({ difference }) => !(difference <= TOLERANCE))) process.exitCode = 1;
}

function pageOf(rows) {
  const lines = rows.map(
    ({ name, losses, there, difference }) =>
      `| ${name} | ${losses.map((loss) => loss.toFixed(5)).join(" ")} | ${there.map((loss) => loss.toFixed(5)).join(" ")} | ${difference.toExponential(1)} |`,
  );
  return `# Exported projects in TRL

Losses of the first ${changes.steps} steps on the embedded model, in the studio (cpu backend) and from the exported project in TRL on
the CPU. Written by \`node tools/interop/trl.mjs\`; every difference must be at most ${TOLERANCE}.

| objective | studio | TRL | largest difference |
| --- | --- | --- | --- |
${lines.join("\n")}
`;
}

await main();
