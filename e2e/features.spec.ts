/** Features: an autoencoder is opened, a run moves its features, one is held still, and steered with. */
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "@playwright/test";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const saeFiles = ["cfg.json", "sae_weights.safetensors"].map((name) =>
  join("public", "saes", "story-2", name),
);
/** Long enough for features to move; the rate falls to 0, so that what is held comes to rest. */
const movingRun = {
  ...onCpu,
  steps: 16,
  batchPairs: 8,
  evalPairs: 8,
  evalEvery: 4,
  learningRate: 0.001,
  schedule: "linear",
};

/** Change of every feature that the Train screen shows, in its order. */
async function movingFeatures(page: Page): Promise<{ feature: number; change: number; text: string }[]> {
  const rows = page.getByTestId("moving-features").getByRole("button");
  const texts = await rows.allInnerTexts();
  return texts.map((text) => {
    // A change of nothing has no sign.
    const change = /([+−][\d.e−]+)\s+[▲▼]/.exec(text)?.[1] ?? "0";
    return { text, feature: Number(/#(\d+)/.exec(text)?.[1]), change: Number(change.replaceAll("−", "-")) };
  });
}

/** Opens the autoencoder's own files in place of the one that came along. */
async function openAutoencoder(page: Page): Promise<void> {
  await page.getByTestId("features-link").click();
  await page.getByTestId("sae-files").setInputFiles(saeFiles);
  await expect(page.getByTestId("sae-figures")).toContainText("384");
  await expect(page.getByTestId("sae-select")).toContainText("cfg.json");
}

async function expectNoFindings(page: Page, moment: string): Promise<void> {
  await page.addScriptTag({ content: axe.source });
  const serious = await page.evaluate(async () => {
    const { axe: injected } = window as unknown as { axe: typeof axe };
    const { violations } = await injected.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  });
  expect(serious, moment).toEqual([]);
}

test("features move while FPO trains, one that is held stays flat, and steering with it changes the text", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: { ...movingRun, method: "fpo", beta: 2 } });
  await openAutoencoder(page);
  await page.getByTestId("train-link").click();
  await studio.trainToEnd();
  const moved = await movingFeatures(page);
  expect(moved.length).toBeGreaterThan(3);
  const { feature, change } = moved[0]!;
  expect(Math.abs(change)).toBeGreaterThan(0);

  await page.getByTestId(`moving-feature-${feature}`).click();
  await expect(page.getByTestId("feature-name")).toBeVisible();
  await page.getByTestId("hold-still").click();
  await page.getByRole("tab", { name: "Held set" }).click();
  await page.getByTestId("train-holding").click();
  await expect(page.getByTestId("held-features")).toContainText(`#${feature}`);
  await studio.trainToEnd();
  const after = await movingFeatures(page);
  const held = after.find((row) => row.feature === feature)!;
  expect(held.text).toContain("held");
  expect(Math.abs(held.change)).toBeLessThan(0.3 * Math.abs(change));
  // The others are free.
  expect(Math.abs(after[0]!.change)).toBeGreaterThan(Math.abs(held.change));

  await page.getByTestId(`moving-feature-${feature}`).click();
  await page.getByTestId("steer-run").click();
  const [plain, steered] = [page.getByTestId("steer-plain"), page.getByTestId("steer-steered")];
  await expect(plain).toBeVisible();
  expect(await steered.innerText()).not.toBe(await plain.innerText());
});

test("the screen tells what features do, what a run changed, and refuses what does not fit", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: movingRun });
  await page.getByTestId("features-link").click();
  await page.getByRole("tab", { name: "Change report" }).click();
  await expect(page.getByRole("main")).toContainText("Train first");
  await page.getByRole("tab", { name: "Feature view" }).click();
  await page.getByTestId("feature-search").fill("friend");
  const first = page.locator('[data-testid^="feature-row-"]').first();
  await expect(first).toBeVisible();
  await first.click();
  await expect(page.getByTestId("feature-name")).toBeVisible();
  await expectNoFindings(page, "feature view");

  await page.getByTestId("sae-files").setInputFiles([
    { name: "cfg.json", mimeType: "application/json", buffer: Buffer.from("{}") },
    { name: "sae_weights.safetensors", mimeType: "application/octet-stream", buffer: Buffer.alloc(16) },
  ]);
  await expect(page.getByRole("alert").first()).toContainText("cfg.json");

  await page.getByTestId("train-link").click();
  await studio.trainToEnd();
  await page.getByTestId("features-link").click();
  await page.getByRole("tab", { name: "Change report" }).click();
  await expect(page.getByTestId("change-report")).toContainText(/of \d+ active features changed/);
  await expectNoFindings(page, "change report");
  await page.getByRole("tab", { name: "Prompt view" }).click();
  await page.getByTestId("prompt-text").fill("Tom and Lily were best friends.");
  await expect(page.locator('[data-testid^="prompt-feature-"]').first()).toBeVisible();
});

test("an autoencoder is trained on the page and used", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  await page.getByTestId("features-link").click();
  await page.getByRole("tab", { name: "Train an SAE" }).click();
  for (const [label, value] of [
    ["Width", "64"],
    ["Steps", "60"],
    ["Rows a step", "64"],
  ] as const) {
    await page.getByRole("tabpanel").getByLabel(label, { exact: false }).first().fill(value);
  }
  await page.getByTestId("sae-train").click();
  await expect(page.getByTestId("sae-status")).toContainText(/step/i, { timeout: 60_000 });
  await expect(page.getByTestId("sae-figures")).toContainText("64", { timeout: 120_000 });
  await expect(page.getByTestId("sae-select")).toContainText("Trained here");
});
