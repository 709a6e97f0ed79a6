/** Preference data: columns told apart by hand, health mended by hand, and pairs made by hand. */
import { mkdir, writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const twoSteps = { ...onCpu, steps: 2, evalEvery: 0 };
const names = ["Ben", "Emma", "Tom", "Lily", "Max", "Sue", "Jack", "Anna", "Finn", "Zoe"];

/** A table whose headers no program knows: ten pairs, of which two stand there again. */
async function writeOddTable(testInfo: TestInfo): Promise<string> {
  const line = (name: string, index: number) =>
    `${index},"${name} lost ${index + 2} coats, all in the rain.", Kim gave ${name} a coat., Kim did not care.`;
  const lines = names.map(line);
  const path = testInfo.outputPath("odd.csv");
  await mkdir(testInfo.outputPath(), { recursive: true });
  await writeFile(
    path,
    `${["nr,opening,kind ending,unkind ending", ...lines, lines[0], lines[1]].join("\n")}\n`,
  );
  return path;
}

/** The page's own place changes; the run and the setup stay. */
async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole("tab", { name: new RegExp(`^${name}`) }).click();
}

test("a table with headers that nobody knows is told apart, mended and trained", async ({
  studio,
  page,
}, testInfo) => {
  await studio.open({ settings: twoSteps });
  await page.getByTestId("data-link").click();
  await page.getByTestId("data-files").setInputFiles(await writeOddTable(testInfo));
  const dialog = page.getByRole("dialog", { name: "Which column is which?" });
  await expect(dialog).toBeVisible();
  await page.getByTestId("mapping-layout").selectOption("trlExplicit");
  await page.getByTestId("mapping-prompt").selectOption("opening");
  await page.getByTestId("mapping-chosen").selectOption("unkind ending");
  await page.getByTestId("mapping-rejected").selectOption("kind ending");
  const firstRow = dialog.getByRole("listitem").first();
  await expect(firstRow.locator(".example-answer").first()).toContainText("Kim did not care.");
  // The preview follows the choice.
  await page.getByTestId("mapping-chosen").selectOption("kind ending");
  await page.getByTestId("mapping-rejected").selectOption("unkind ending");
  await expect(firstRow.locator(".example-answer").first()).toContainText("Kim gave Ben a coat.");
  await expect(page.getByTestId("mapping-count")).toHaveText("12 of 12 rows can be used.");
  await page.getByTestId("mapping-apply").click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("region", { name: "Set in use" })).toContainText("odd.csv");

  await openTab(page, "Health");
  await expect(page.getByTestId("finding-duplicate")).toContainText("2");
  await page.getByRole("button", { name: "Show rows: Duplicates" }).click();
  await expect(page.getByTestId("pair-count")).toContainText("pair");
  await openTab(page, "Health");
  await page.getByTestId("leave-out-duplicate").click();
  await expect(page.getByTestId("data-figures")).toContainText("12 → 10");
  await expect(page.getByTestId("finding-duplicate")).toBeHidden();

  await page.getByTestId("train-link").click();
  await expect(studio.field("data")).toHaveValue("local");
  await studio.trainToEnd();
  await studio.expectStep(2);
});

test("answers of the model are chosen blindly by key, taken back, kept over a reload, and used", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: twoSteps });
  await page.getByTestId("data-link").click();
  await openTab(page, "Annotate");
  await page.getByTestId("sampling-count").fill("6");
  await page.getByTestId("sampling-tokens").fill("8");
  await page.getByTestId("sample-answers").click();
  await expect(page.getByTestId("blind-prompt")).toBeVisible();
  const progress = page.getByTestId("annotate-progress");
  const prompt = await page.getByTestId("blind-prompt").innerText();
  await page.keyboard.press("1");
  await expect(progress).toContainText("1 of 6 decided · 1 pair");
  await page.keyboard.press("u");
  await expect(progress).toContainText("0 of 6 decided");
  await expect(page.getByTestId("blind-prompt")).toHaveText(prompt);
  for (const key of ["ArrowRight", "2", "1", "0"]) await page.keyboard.press(key);
  await expect(progress).toContainText("4 of 6 decided · 3 pairs · 1 without a pair");

  await page.reload();
  await studio.page.getByTestId("data-figures").waitFor();
  await expect(progress).toContainText("4 of 6 decided · 3 pairs");
  for (const key of ["1", "ArrowLeft"]) await page.keyboard.press(key);
  await expect(progress).toContainText("6 of 6 decided · 5 pairs");
  await page.getByTestId("use-pairs").click();
  await expect(page.getByRole("region", { name: "Set in use" })).toContainText("annotated.jsonl");
  await openTab(page, "Pairs");
  await expect(page.getByTestId("pair-count")).toContainText("5 pairs");
});
