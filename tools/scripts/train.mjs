/** `npm run train`: the main job without a window, on the built page in headless Chromium. */
import { access, constants, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { stderr } from "node:process";
import { buildIfStale } from "./build.mjs";
import { withBrowser } from "./driveStudio.mjs";
import { ensureInstalled } from "./install.mjs";
import { projectRoot, runScript } from "./run.mjs";
import { helpText, readTrainOptions } from "./trainOptions.mjs";
import { evaluationTable, metricsTable, progressLine, resultJson, samplesText } from "./trainReport.mjs";

/** What the engine declares: the configuration's schema, its default, the presets and the objectives. */
async function loadDefinitions() {
  const { runnerImport } = await import("vite");
  const { toJSONSchema } = await import("zod/mini");
  const load = async (path) => {
    const options = { configFile: false, root: projectRoot, logLevel: "error" };
    return (await runnerImport(join(projectRoot, "src", "engine", path), options)).module;
  };
  const { runConfigSchema, defaultConfig } = await load("training/config.ts");
  const { presets } = await load("training/presets.ts");
  const { objectives } = await load("losses/index.ts");
  return { schema: toJSONSchema(runConfigSchema), defaultConfig, presets, objectives };
}

const modelFilePattern =
  /^((generation_|tokenizer_)?config|tokenizer|special_tokens_map)\.json$|^chat_template\.jinja$|\.safetensors(\.index\.json)?$/;
const saeFilePattern = /^(cfg|config)\.json$|^(sae_weights|params)\.safetensors$|\.npz$/;
const neededModelFiles = ["config.json", "tokenizer.json"];

/** The files of a local model, or none when `model` is an embedded model's id. */
async function findModelFiles(model) {
  const folder = resolve(model);
  if (/\.(gguf|zip)$/i.test(model)) {
    if (!(await isFile(folder))) throw new Error(`--model is ${model}, which is not a file.`);
    return [folder];
  }
  if (!(await isFolder(folder))) {
    if (/[/\\.]/.test(model)) throw new Error(`--model is ${model}, which is not a folder.`);
    return [];
  }
  const names = await readdir(folder);
  const missing = neededModelFiles.filter((name) => !names.includes(name));
  if (!names.some((name) => name.endsWith(".safetensors"))) missing.push("model.safetensors");
  if (missing.length > 0) throw new Error(`--model is ${model}, which lacks ${missing.join(", ")}.`);
  return names.filter((name) => modelFilePattern.test(name)).map((name) => join(folder, name));
}

/** The files of the local autoencoder folder, or none when `saes` are ids. */
async function findSaeFiles(saes) {
  const [first = ""] = saes;
  const folder = resolve(first);
  if (first === "" || !(await isFolder(folder))) {
    if (/[/\\.]/.test(first)) throw new Error(`--saes is ${first}, which is not a folder.`);
    return [];
  }
  if (saes.length > 1) throw new Error(`--saes is ${saes.join(",")}: give one folder, or some ids.`);
  const names = (await readdir(folder)).filter((name) => saeFilePattern.test(name));
  if (names.length === 0) throw new Error(`--saes is ${first}, which has no autoencoder in it.`);
  return names.map((name) => join(folder, name));
}

/** The local file of pairs, or none when `data` is an embedded set's id. */
async function findDataFiles(data) {
  const file = resolve(data);
  if (await isFile(file)) return [file];
  if (/[/\\.]/.test(data)) throw new Error(`--data is ${data}, which is not a file.`);
  return [];
}

async function isFile(path) {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function isFolder(path) {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Refuses a JSON file that could not be written, before minutes of training rather than after. */
async function checkJsonFile(jsonFile) {
  const folder = dirname(resolve(jsonFile));
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable || (await isFolder(resolve(jsonFile))))
    throw new Error(`--json is ${jsonFile}, which cannot be written: ${folder} must be a writable folder.`);
}

/** Draws the progress: one moving line in a terminal, a line every tenth of the run elsewhere. */
function createProgressPrinter() {
  const startedAt = performance.now();
  let lastTenth = -1;
  return ({ metrics, ...told }) => {
    const progress = { ...told, loss: metrics.loss, elapsedMs: performance.now() - startedAt };
    if (stderr.isTTY) {
      stderr.write(`\r\u001B[K${progressLine(progress)}`);
      return;
    }
    const tenth = Math.floor((10 * progress.step) / progress.steps);
    if (tenth !== lastTenth) stderr.write(`${progressLine(progress)}\n`);
    lastTenth = tenth;
  };
}

/** Trains on a page of its own. */
async function trainInBrowser({ config, onProgress, ...files }) {
  try {
    return await withBrowser(async (openStudio) => (await openStudio(files)).train(config, onProgress));
  } finally {
    if (stderr.isTTY) stderr.write("\n");
  }
}

function printResult(result) {
  console.log(`\n${metricsTable(result.steps)}\n`);
  console.log(`${evaluationTable(result.evalBefore, result.evalAfter)}\n`);
  console.log(`${samplesText(result.samplesBefore, result.samplesAfter)}\n`);
  console.log(`${result.steps.length} steps in ${(result.elapsedMs / 1000).toFixed(1)} s`);
}

await runScript(async () => {
  await ensureInstalled();
  const definitions = await loadDefinitions();
  const options = readTrainOptions(process.argv.slice(2), definitions);
  if (options.isHelp) {
    console.log(helpText(definitions));
    return;
  }
  const { config, jsonFile } = options;
  const modelFiles = await findModelFiles(config.model);
  const dataFiles = await findDataFiles(config.data);
  const saeFiles = await findSaeFiles(config.saes);
  if (jsonFile) await checkJsonFile(jsonFile);
  await buildIfStale();
  const result = await trainInBrowser({
    config: {
      ...config,
      model: modelFiles.length > 0 ? "local" : config.model,
      data: dataFiles.length > 0 ? "local" : config.data,
      saes: saeFiles.length > 0 ? [] : config.saes,
    },
    modelFiles,
    dataFiles,
    saeFiles,
    onProgress: createProgressPrinter(),
  });
  printResult(result);
  if (jsonFile) await writeFile(jsonFile, resultJson(result));
});
