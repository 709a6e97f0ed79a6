/** Reference values from one visit to the next: reused, refused with the reason, and computed again when damaged. */
import { mkdir, writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { onCpu, type Studio } from "./studio.ts";
import { test, expect } from "./test.ts";

const settings = { ...onCpu, steps: 2, evalEvery: 0 };

/** A file of ten pairs about a person, without numbers of any reference. */
async function writePairs(testInfo: TestInfo, person: string): Promise<string> {
  const lines = Array.from({ length: 10 }, (_, index) =>
    JSON.stringify({
      prompt: `${person} lost ${index + 2} coats in the rain.`,
      chosen: ` Emma gave ${person} a coat.`,
      rejected: " Emma did not care.",
    }),
  );
  const path = testInfo.outputPath(`${person}.jsonl`);
  await mkdir(testInfo.outputPath(), { recursive: true });
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

/** Opens the page anew, chooses the pairs, and trains; what happened before is in the log only through storage. */
async function visit(studio: Studio, page: Page, path: string) {
  await page.goto("about:blank");
  await studio.open({ settings });
  await page.getByTestId("data-files").setInputFiles(path);
  await expect(studio.field("data")).toHaveValue("local");
  await studio.expectAction("train");
  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);
  return studio.openLog();
}

/** Flips a byte in the middle of every file that is kept of references; gives their names. */
function damageFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("reference");
    const entries = (
      folder as unknown as { entries: () => AsyncIterable<[string, FileSystemFileHandle]> }
    ).entries();
    const names: string[] = [];
    for await (const [name, file] of entries) {
      const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      const stream = await file.createWritable();
      await stream.write(bytes);
      await stream.close();
      names.push(name);
    }
    return names;
  });
}

test("reference values are kept, and refused when they do not fit", async ({ studio, page }, testInfo) => {
  const ben = await writePairs(testInfo, "Ben");
  const tom = await writePairs(testInfo, "Tom");
  const computed = /Reference values of \d pairs were computed in/;
  const reused = /Reference values of \d pairs were reused \(\d+\.\d kB\), which saves/;

  await test.step("the first visit computes them", async () => {
    const log = await visit(studio, page, ben);
    await expect(log).toContainText(computed);
    await expect(log).not.toContainText("reused");
  });

  await test.step("the second visit reuses them", async () => {
    const log = await visit(studio, page, ben);
    await expect(log).toContainText(reused);
    await expect(log).not.toContainText("computed in");
    await expect(log).not.toContainText("Reading the reference values");
  });

  await test.step("other pairs are another matter", async () => {
    const log = await visit(studio, page, tom);
    await expect(log).toContainText("DAT-3");
    await expect(log).toContainText("the data or how its pairs are read changed. They are computed again");
    await expect(log).toContainText(computed);
    await expect(studio.message("DAT-3")).toBeHidden();
  });

  await test.step("a damaged file is told and replaced", async () => {
    expect(await damageFiles(page)).toEqual([expect.stringMatching(/^story--local--/)]);
    const log = await visit(studio, page, tom);
    await expect(log).toContainText(
      /The kept reference values cannot be used: the file of \d+ bytes was changed/,
    );
    await expect(log).toContainText(computed);
    await expect(await visit(studio, page, tom)).toContainText(reused);
  });
});
