/** What axe-core finds, and what must not happen at any width, with less motion or with forced colours. */
import axe from "axe-core";
import type { Page } from "@playwright/test";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const widths = [1440, 390, 320];
const height = 900;

/** Serious and critical findings, with the elements they are about. */
async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.addScriptTag({ content: axe.source });
  return page.evaluate(async () => {
    const { axe: injected } = window as unknown as { axe: typeof axe };
    const { violations } = await injected.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
      );
  });
}

async function expectAccessible(page: Page, moment: string): Promise<void> {
  // What is fading in has less contrast than it is meant to have for a moment: only what stays is a finding.
  await expect.poll(() => findings(page), { message: moment }).toEqual([]);
  // A chart takes its new width one frame after the window does.
  await expect
    .poll(
      () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      { message: `${moment}: pixels of sideways scroll` },
    )
    .toBeLessThanOrEqual(0);
}

for (const scheme of ["light", "dark"] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme });

    test(`no serious finding before, in and after a run, at every width (${scheme})`, async ({
      studio,
      page,
    }) => {
      await studio.open({ settings: { ...onCpu, steps: 200, evalEvery: 0 } });
      await expectAccessible(page, "ready");
      await studio.trainToStep(2);
      await expectAccessible(page, "training");
      await page.getByTestId("stop-button").click();
      await studio.expectPhase("stopped");
      await studio.openLog();
      for (const width of widths) {
        await page.setViewportSize({ width, height });
        await expect(studio.trainButton).toBeVisible();
        await expectAccessible(page, `stopped, ${width} px`);
      }
      await page.getByTestId("open-settings").click();
      await expect(page.getByRole("dialog", { name: "Settings" })).toBeVisible();
      await expectAccessible(page, "settings, 320 px");
    });

    test(`no serious finding in the dialogs and messages (${scheme})`, async ({ studio, page }) => {
      await studio.open({ settings: { colour: "blue" }, inject: "nan@1" });
      await page.getByRole("button", { name: "Share" }).click();
      await expectDialog(page, "Share this setup");
      await page.keyboard.press("?");
      await expectDialog(page, "Keyboard");
      await page.getByTestId("capability-chip").click();
      await expectDialog(page, "Device");
      await studio.trainButton.click();
      await studio.expectPhase("failed");
      await expect(studio.message("NUM-1")).toBeVisible();
      await expectAccessible(page, "failed");
    });

    test(`no serious finding on the Models screen, at every width (${scheme})`, async ({ studio, page }) => {
      await studio.open({ settings: onCpu });
      await page.getByTestId("models-link").click();
      await expect(page.getByTestId("storage")).toBeVisible();
      for (const width of widths) {
        await page.setViewportSize({ width, height });
        await expectAccessible(page, `models, ${width} px`);
      }
      await page.getByTestId("open-export").click();
      await expectDialog(page, "Take the model with you");
    });
  });
}

test("no serious finding on any tab of the Data screen, at every width", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  await page.getByTestId("data-link").click();
  await expect(page.getByTestId("data-figures")).toBeVisible();
  for (const tab of ["Sources", "Pairs", "Health", "Changes", "First batch", "Annotate"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expect(page.getByRole("tabpanel").locator("[aria-busy=true]")).toHaveCount(0);
    for (const width of widths) {
      await page.setViewportSize({ width, height });
      await expectAccessible(page, `${tab}, ${width} px`);
    }
  }
});

test("no serious finding on any tab of the Online screen, at every width", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, preset: "online" } });
  await page.getByTestId("online-link").click();
  for (const tab of ["Rounds", "Prompts", "Judges"]) {
    await page.getByRole("tab", { name: tab }).click();
    for (const width of widths) {
      await page.setViewportSize({ width, height });
      await expectAccessible(page, `${tab}, ${width} px`);
    }
  }
});

async function expectDialog(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name });
  await expect(dialog).toBeVisible();
  await expectAccessible(page, name);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
}

test("with reduced motion nothing moves by itself", async ({ studio, page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await studio.open({ settings: { ...onCpu, steps: 200, evalEvery: 0 } });
  await studio.trainToStep(2);
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ playState }) => playState === "running")
      .map(({ effect }) => (effect instanceof KeyframeEffect ? String(effect.target?.className) : "")),
  );
  expect(moving).toEqual([]);
  await page.getByTestId("stop-button").click();
});

test("with forced colours the run can be read and driven", async ({ studio, page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await studio.open({ settings: onCpu });
  await studio.trainToEnd();
  await expectAccessible(page, "forced colours");
  const { text, ground, border } = await studio.trainButton.evaluate((button) => {
    const { color, backgroundColor, borderTopWidth, outlineStyle } = getComputedStyle(button);
    return { text: color, ground: backgroundColor, border: `${borderTopWidth} ${outlineStyle}` };
  });
  expect(text, border).not.toBe(ground);
  const lines = studio.chart("Margin and rewards").locator(".recharts-line-curve");
  const patterns = await lines.evaluateAll((paths) =>
    paths.map((path) => getComputedStyle(path).strokeDasharray),
  );
  // Chosen and rejected differ by more than their colour.
  expect(new Set(patterns).size).toBeGreaterThan(1);
});
