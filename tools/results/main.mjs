/**
 * Trains the embedded model on kind endings with several seeds and writes what came of it to
 * `public/models/story/RESULTS.md`. Runs that are on disk already are kept: `node tools/results/main.mjs`
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withEngine } from "../scripts/engine.mjs";
import { projectRoot, run } from "../scripts/run.mjs";
import { bootstrap, firstStepReaching, judgeChanges, mean } from "./statistics.mjs";

const SEEDS = [1, 2, 3];
const EVAL_PAIRS = 160;
const SAMPLE_PROMPTS = 64;
const TARGET = 0.8;
const ACCURACY = "eval_rewards/accuracies";

const methods = [
  { id: "dpo", label: "DPO", preset: "tiny-dpo" },
  { id: "simpo", label: "SimPO", preset: "tiny-simpo" },
];
const cacheFolder = join(projectRoot, "node_modules", ".cache", "prefscope-results");
const page = join(projectRoot, "public", "models", "story", "RESULTS.md");

const { presets } = await withEngine((load) => load("src/engine/training/presets.ts"));

/** The record of one run, from disk or trained now; another preset or other weights make another run. */
async function trained({ preset }, seed, weights) {
  const options = {
    preset,
    seed,
    "eval-every": 20,
    "eval-pairs": EVAL_PAIRS,
    "sample-prompts": SAMPLE_PROMPTS,
  };
  const { config } = presets.find(({ id }) => id === preset);
  const key = createHash("sha256")
    .update(JSON.stringify([options, config, weights]))
    .digest("hex")
    .slice(0, 16);
  const file = join(cacheFolder, `${key}.json`);
  const known = await readFile(file, "utf8").catch(() => null);
  if (known !== null) return JSON.parse(known);
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  await mkdir(cacheFolder, { recursive: true });
  const { code } = await run(process.execPath, [
    join(projectRoot, "tools/scripts/train.mjs"),
    ...flags,
    "--json",
    file,
  ]);
  if (code !== 0) throw new Error(`Training ${preset} with seed ${seed} ended with exit code ${code}.`);
  return JSON.parse(await readFile(file, "utf8"));
}

const number = (value, digits = 3) => value.toFixed(digits);
const signed = (value) => `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`;
const interval = ({ mean: middle, low, high }) => `${signed(middle)} [${signed(low)}, ${signed(high)}]`;

function row({ label }, seed, result) {
  const reached = firstStepReaching(result.evaluations, ACCURACY, TARGET);
  return [
    label,
    seed,
    number(result.evalBefore["eval_accuracies/logps"]),
    number(result.evalAfter[ACCURACY]),
    reached === null ? "–" : reached,
    number(result.evalAfter["eval_margins/logratio"], 2),
    number(result.evalAfter["eval_kl/chosen"], 2),
    number(mean(result.samplesBefore.filter(({ mode }) => mode === "seeded").map((s) => s.judgeScore))),
    number(mean(result.samplesAfter.filter(({ mode }) => mode === "seeded").map((s) => s.judgeScore))),
    interval(bootstrap(judgeChanges(result))),
  ];
}

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function samplesOf({ label }, seed, { samplesBefore, samplesAfter }) {
  const greedy = samplesAfter.filter(({ mode }) => mode === "greedy");
  const before = samplesBefore.filter(({ mode }) => mode === "greedy");
  return greedy.map(
    ({ prompt, text, judgeScore }, index) =>
      `* ${label}, seed ${seed}. **${prompt}**\n  * before (${signed(before[index].judgeScore)}): ${before[index].text.trim()}\n` +
      `  * after (${signed(judgeScore)}): ${text.trim()}`,
  );
}

const weights = createHash("sha256")
  .update(await readFile(join(projectRoot, "public/models/story/model.safetensors")))
  .digest("hex");
const runs = [];
for (const method of methods) {
  for (const seed of SEEDS) runs.push({ method, seed, result: await trained(method, seed, weights) });
}
const pooled = methods.map((method) => {
  const own = runs.filter((one) => one.method === method);
  return `* **${method.label}**: ${interval(bootstrap(own.flatMap(({ result }) => judgeChanges(result))))} over ${own.length} × ${SAMPLE_PROMPTS} answers.`;
});
const [{ result: first }] = runs;
const settings = ({ method }) => {
  const { config } = runs.find((one) => one.method === method).result;
  const params = Object.entries(config.params).map(([name, value]) => `${name} ${value}`);
  return `* ${method.label}: ${[...params, `${config.steps} steps`, `learning rate ${config.learningRate}`, `schedule ${config.schedule}`, `${config.batchPairs} pairs a step`, `LoRA rank ${config.loraRank}`].join(", ")}.`;
};
await writeFile(
  page,
  `# What training the embedded model does

Written by \`node tools/results/main.mjs\`, which trains in the built page with \`npm run train\`. Preference set: kind
endings; ${EVAL_PAIRS} held-out pairs; ${SAMPLE_PROMPTS} fresh answers to held-out prompts before and after, same seed, at
temperature ${first.config.sampleTemperature}. The judge is a program that no training sees. Computed on: ${first.environment.device}
(${first.environment.backend}); weights ${weights.slice(0, 16)}.

${methods.map((method) => settings({ method })).join("\n")}

${table(
  [
    "method",
    "seed",
    "prefers chosen, before",
    "reward accuracy, after",
    `first evaluation ≥ ${TARGET}`,
    "margin (log-ratio)",
    "KL, chosen",
    "judge before",
    "judge after",
    "change, 95 % interval",
  ],
  runs.map(({ method, seed, result }) => row(method, seed, result)),
)}

Change of the judge's score, all seeds together, bootstrap over answers:

${pooled.join("\n")}

## Answers

Greedy, the first prompts of the held-out set.

${runs
  .filter(({ seed }) => seed === SEEDS[0])
  .flatMap(({ method, seed, result }) => samplesOf(method, seed, result))
  .join("\n")}
`,
);
console.log(`Written: ${page}`);
