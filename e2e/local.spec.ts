/** Models and pairs from the person's disk: chosen, dropped, broken, and the reference model where it is at hand. */
import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page, TestInfo } from "@playwright/test";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const root = resolve(import.meta.dirname, "..");
const embedded = join(root, "public/models/story");
const modelFiles = ["config.json", "model.safetensors", "tokenizer.json"];
const twoSteps = { steps: 2, evalEvery: 0 };

/** A file of pairs with as many usable rows as asked for. */
async function writePairs(testInfo: TestInfo, rows: number, broken: readonly string[] = []): Promise<string> {
  const lines = Array.from({ length: rows }, (_, index) =>
    JSON.stringify({
      prompt: `Ben lost ${index + 2} coats in the rain.`,
      chosen: " Emma gave Ben a coat.",
      rejected: " Emma did not care.",
    }),
  );
  const path = testInfo.outputPath("own pairs.jsonl");
  await mkdir(testInfo.outputPath(), { recursive: true });
  await writeFile(path, `${[...lines, ...broken].join("\n")}\n`);
  return path;
}

/** A folder with the embedded model's files under a name of its own. */
async function writeModel(testInfo: TestInfo, files: readonly string[] = modelFiles): Promise<string> {
  const folder = testInfo.outputPath("own model");
  await mkdir(folder, { recursive: true });
  for (const name of files) await copyFile(join(embedded, name), join(folder, name));
  return folder;
}

/** Drops files or folders of the disk on the window, as a person does: the browser reads them itself. */
async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const send = (type: "dragEnter" | "dragOver" | "drop") =>
    client.send("Input.dispatchDragEvent", { type, x: 500, y: 400, data });
  await send("dragEnter");
  await send("dragOver");
  await expect(page.getByText("Drop it here")).toBeVisible();
  // The browser drops only where the last move over the page was answered.
  await send("dragOver");
  await page.evaluate(() => new Promise(requestAnimationFrame));
  await send("drop");
  await expect(page.getByText("Drop it here")).toBeHidden();
  await client.detach();
}

test("a chosen model and chosen pairs train", async ({ studio, page }, testInfo) => {
  await studio.open({ settings: twoSteps });
  const folder = await writeModel(testInfo);
  await page.getByTestId("model-files").setInputFiles(modelFiles.map((name) => join(folder, name)));
  await expect(studio.field("model")).toHaveValue("local");
  await page.getByTestId("data-files").setInputFiles(await writePairs(testInfo, 10));
  await expect(studio.field("data")).toHaveValue("local");
  await expect(page.getByTestId("data-summary")).toContainText("8 pairs + 2 held out");
  await expect(studio.samples.getByRole("group", { name: "Prompts" })).toContainText("coats in the rain");
  await studio.expectAction("train");
  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);
  await expect(await studio.openLog()).toContainText("Opened the preference pairs in own pairs.jsonl.");
  // Files stay on the disk: the link speaks of neither.
  expect(page.url()).not.toMatch(/=local|own/);
});

test("a dropped folder and a dropped file open", async ({ studio, page }, testInfo) => {
  await studio.open({ settings: { ...onCpu, ...twoSteps } });
  await drop(page, [await writeModel(testInfo)]);
  await expect(studio.field("model")).toHaveValue("local");
  await studio.expectAction("train");
  await drop(page, [await writePairs(testInfo, 10)]);
  await expect(studio.field("data")).toHaveValue("local");
  await studio.expectAction("train");
  await studio.trainToEnd();
});

test("files that cannot be used are named and change nothing", async ({ studio, page }, testInfo) => {
  await studio.open({ settings: { ...onCpu, ...twoSteps } });
  const setup = { model: "story", data: "kind-endings" };
  const expectUnchanged = async () => {
    await expect(studio.field("model")).toHaveValue(setup.model);
    await expect(studio.field("data")).toHaveValue(setup.data);
    await studio.expectAction("train");
  };

  await test.step("FIL-1: a file of no known kind", async () => {
    const path = testInfo.outputPath("foo.bin");
    await mkdir(testInfo.outputPath(), { recursive: true });
    await writeFile(path, "nothing");
    await drop(page, [path]);
    const message = studio.message("FIL-1");
    await expect(message).toContainText("“foo.bin” is not a format I know.");
    await expect(message).toContainText("Accepted:");
    await message.getByRole("button", { name: "Formats" }).click();
    await expect(page.getByRole("dialog", { name: "Files the studio opens" })).toBeVisible();
    await page.keyboard.press("Escape");
    const choosing = page.waitForEvent("filechooser");
    await message.getByRole("button", { name: "Choose another" }).click();
    await choosing;
    await expect(message).toBeHidden();
    await expectUnchanged();
  });

  await test.step("FIL-1: a folder that lacks a file", async () => {
    const folder = await writeModel(testInfo, ["config.json", "model.safetensors"]);
    await drop(page, [folder]);
    await expect(studio.message("FIL-1")).toContainText("tokenizer.json");
    await expect(studio.message("FIL-1")).toContainText("it is not in the folder");
    await expectUnchanged();
  });

  await test.step("FIL-2: weights that end early", async () => {
    const folder = await writeModel(testInfo);
    const weights = await readFile(join(folder, "model.safetensors"));
    await writeFile(join(folder, "model.safetensors"), weights.subarray(0, weights.length / 2));
    await drop(page, [folder]);
    await expect(studio.message("FIL-2")).toContainText(/Incomplete file: \d+ of \d+ (KB|MB|bytes)/);
    await expectUnchanged();
  });

  await test.step("rows without the columns of pairs are asked about", async () => {
    const path = testInfo.outputPath("columns.jsonl");
    await writeFile(path, '{"one":"a","two":"b"}\n');
    await page.getByTestId("data-files").setInputFiles(path);
    const dialog = page.getByRole("dialog", { name: "Which column is which?" });
    await expect(dialog).toContainText("0 of 1 rows can be used.");
    await expect(dialog.getByRole("button", { name: "Apply" })).toBeDisabled();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await expect(dialog).toBeHidden();
    await expectUnchanged();
  });

  await test.step("DAT-1: too few pairs to train on", async () => {
    const path = testInfo.outputPath("one.jsonl");
    await writeFile(path, '{"prompt":"a","chosen":"b","rejected":"c"}\n');
    await page.getByTestId("data-files").setInputFiles(path);
    const message = studio.message("DAT-1");
    await message.getByRole("button", { name: "Which column is which?" }).click();
    const dialog = page.getByRole("dialog", { name: "Which column is which?" });
    await expect(dialog).toContainText("1 of 1 rows can be used.");
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await expectUnchanged();
  });

  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);
});

test("DAT-2 counts the rows that were left out and lists them", async ({ studio, page }, testInfo) => {
  await studio.open({ settings: { ...onCpu, ...twoSteps } });
  const broken = [
    '{"prompt":"A","chosen":" same","rejected":" same"}',
    '{"prompt":"B","chosen":"","rejected":" no"}',
    '{"prompt":"C","chosen":',
  ];
  await page.getByTestId("data-files").setInputFiles(await writePairs(testInfo, 10, broken));
  const message = studio.message("DAT-2");
  await expect(message).toContainText("3 of 13 pairs need a look: 1 identical, 1 empty, 1 not valid JSON.");
  await message.getByRole("button", { name: "Review" }).click();
  const rows = page.getByRole("dialog", { name: "Rows that were left out" }).getByRole("row");
  await expect(rows).toHaveCount(1 + broken.length);
  await page.keyboard.press("Escape");
  await message.getByRole("button", { name: "Skip them" }).click();
  await expect(message).toBeHidden();
  await studio.expectAction("train");
  await studio.trainToEnd();
});

test("the reference model and its pairs train", async ({ studio, page }, testInfo) => {
  const fixtures = resolve(root, process.env["FIXTURES_DIR"] ?? "../shared/fixtures");
  const model = join(fixtures, "models/stories260K/hf");
  const pairs = join(fixtures, "data/stories-sentiment/train.jsonl");
  const isThere = existsSync(model) && existsSync(pairs);
  // The fixtures are not part of the project; without them this says so, and every other journey still runs.
  test.skip(!isThere, `FIXTURES_DIR is ${fixtures}, which holds no stories260K and stories-sentiment.`);
  await studio.open({ settings: { ...twoSteps, terminator: "none" } });
  const folder = testInfo.outputPath("hf");
  // Dropping a folder opens all that lies in it, so what is not part of the model stays behind.
  await cp(model, folder, { recursive: true, filter: (path) => !/reference|cases/.test(path) });
  await drop(page, [folder]);
  await expect(page.getByTestId("model-summary")).toContainText("5 layers × 64");
  await studio.expectAction("train");
  await drop(page, [pairs]);
  await expect(page.getByTestId("data-summary")).toContainText("held out");
  await expect(studio.field("data")).toHaveValue("local");
  await studio.expectAction("train");
  await studio.trainToEnd();
  await studio.openPlot("Loss");
  expect(await studio.values("Loss", "loss")).toHaveLength(2);
});
