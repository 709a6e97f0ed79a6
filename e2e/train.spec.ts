/** `npm run train`: the main job without a window, and a sentence where it cannot be done. */
import { spawn } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test, expect } from "@playwright/test";

const root = resolve(import.meta.dirname, "..");
const embedded = join(root, "public/models/story");
const modelFiles = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const smallRun = "--batch-pairs 1 --eval-pairs 2 --eval-every 0 --sample-prompts 1 --sample-tokens 4".split(
  " ",
);

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function train(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, "tools/scripts/train.mjs"), ...args], { cwd: root });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      done({ code, output, errors });
    });
  });
}

async function copyModel(): Promise<string> {
  const folder = test.info().outputPath("model");
  await mkdir(folder, { recursive: true });
  for (const name of modelFiles) await copyFile(join(embedded, name), join(folder, name));
  return folder;
}

test("a run on local files prints its course and writes its record", async () => {
  const jsonFile = test.info().outputPath("out.json");
  const options = {
    loss: "simpo",
    steps: "2",
    "warmup-steps": "0",
    seed: "3",
    json: jsonFile,
    model: await copyModel(),
    data: join(root, "public/data/kind-endings/heldout.jsonl"),
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const { code, output, errors } = await train(...words, ...smallRun);
  expect(errors).toContain("2/2");
  expect(code, errors).toBe(0);
  expect(output).toMatch(/^step +loss +rewards\/margins/m);
  expect(output).toContain("eval_rewards/accuracies");
  expect(output).toContain("before:");
  expect(output).toMatch(/^2 steps in [\d.]+ s$/m);

  const record = JSON.parse(await readFile(jsonFile, "utf8")) as Record<string, unknown>;
  expect(record["config"]).toMatchObject({
    method: "simpo",
    steps: 2,
    seed: 3,
    model: "local",
    data: "local",
  });
  expect(record["environment"]).toMatchObject({ backend: "webgpu" });
  const metric = expect.any(Number);
  const names = ["loss", "rewards/chosen", "rewards/margins", "logps/rejected", "entropy", "grad_norm"];
  const metrics = Object.fromEntries(names.map((name) => [name, metric]));
  expect(record["steps"]).toMatchObject([
    { step: 1, ...metrics },
    { step: 2, ...metrics },
  ]);
  expect(record["evalBefore"]).toMatchObject({ eval_loss: metric });
  expect(record["evalAfter"]).toMatchObject({ eval_loss: metric });
  expect(record["evalAfter"]).not.toEqual(record["evalBefore"]);
  for (const samples of ["samplesBefore", "samplesAfter"]) {
    expect(record[samples]).toMatchObject([
      { mode: "greedy", text: expect.any(String) },
      { mode: "seeded", text: expect.any(String) },
    ]);
  }
  expect(record["elapsedMs"]).toEqual(metric);
});

test("what cannot be trained ends with one sentence and an exit code", async () => {
  await test.step("an option that does not exist", async () => {
    const { code, errors } = await train("--colour", "blue");
    expect(code).toBe(1);
    expect(errors.trim()).toBe("--colour is not an option: see npm run train -- --help.");
  });

  await test.step("a folder that does not exist", async () => {
    const { code, errors } = await train("--model", test.info().outputPath("nowhere"));
    expect(code).toBe(1);
    expect(errors).toMatch(/^--model is .*nowhere, which is not a folder\.\n$/);
  });

  await test.step("a model whose numbers are not numbers", async () => {
    const folder = await copyModel();
    const weights = await readFile(join(folder, "model.safetensors"));
    // Every bit of the last tensors set: not a number in every floating-point format.
    await writeFile(
      join(folder, "model.safetensors"),
      weights.fill(0xff, weights.length - Math.floor(weights.length / 8)),
    );
    const { code, errors } = await train("--model", folder, "--backend", "cpu", "--steps", "2", ...smallRun);
    expect(code).toBe(1);
    expect(errors.trimEnd().split("\n").at(-1)).toMatch(/not (a )?(finite|number).*\(NUM-1\)$/i);
  });
});
