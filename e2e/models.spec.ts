/** A model of one's own: kept, used in 4 bits, trained, stacked with its adapter, and taken away again. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { unzipSync } from "fflate";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const embedded = resolve(import.meta.dirname, "../public/models/story");
const modelFiles = ["config.json", "model.safetensors", "tokenizer.json"];
const label = "tiny folder";

test("a folder from the disk is kept over a reload, trained in 4 bits, stacked, merged and saved", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: { ...onCpu, steps: 2, evalEvery: 0 } });
  await page.getByTestId("models-link").click();
  await page.getByTestId("disk-files").setInputFiles(modelFiles.map((name) => join(embedded, name)));
  await page.getByLabel("Name on the shelf").fill(label);
  await page.getByRole("button", { name: "Keep on the shelf" }).click();
  const card = page.getByTestId("shelf-card").filter({ hasText: label });
  await expect(card).toContainText("3 files");

  await page.reload();
  await card.getByLabel(`Base weights of ${label}`).selectOption("q4");
  await card.getByRole("button", { name: `Use ${label}` }).click();
  await expect(card.getByText("In use")).toBeVisible();
  await expect(page.getByTestId("weight-report")).toContainText("4 bits");
  await expect(page.getByTestId("weight-report")).toContainText("Rounding error a layer");
  await page.getByRole("button", { name: "Measure what it costs" }).click();
  await expect(page.getByTestId("perplexity")).toContainText(
    /: [\d.]+ against [\d.]+ with the file’s weights/,
  );

  await page.getByTestId("train-link").click();
  await expect(studio.field("model")).toHaveValue(`disk:${label}`);
  await studio.expectAction("train");
  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);

  await page.getByTestId("models-link").click();
  await page.getByTestId("keep-adapter").click();
  const adapter = page.getByTestId("adapter-row");
  await expect(adapter).toContainText("rank 8, alpha 16");
  await adapter.getByRole("checkbox").check();
  await adapter.getByLabel(/as a number$/).fill("0.5");
  await page.getByTestId("apply-stack").click();
  await expect(page.getByTestId("in-use-adapters")).toContainText("× 0.5 (rank 8 together)");

  // Nothing of all this was refused on the way.
  await expect(page.locator("[data-code]")).toHaveCount(0);

  await page.getByTestId("open-export").click();
  await page.getByLabel("Merged model").check();
  const downloading = page.waitForEvent("download");
  await page.getByTestId("export-save").click();
  const files = unzipSync(await readFile(await (await downloading).path()));
  const names = Object.keys(files);
  for (const name of [...modelFiles, "README.md"])
    expect(names.some((path) => path.endsWith(name))).toBe(true);
  const merged = files[names.find((path) => path.endsWith("model.safetensors")) ?? ""]!;
  const base = await readFile(join(embedded, "model.safetensors"));
  expect(shapesOf(merged)).toEqual(shapesOf(base));
});

/** Shapes by name, as the header of a safetensors file has them. */
function shapesOf(bytes: Uint8Array): Record<string, readonly number[]> {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { readonly shape: readonly number[] }
  >;
  return Object.fromEntries(
    Object.entries(header).flatMap(([name, { shape }]) => (name === "__metadata__" ? [] : [[name, shape]])),
  );
}
