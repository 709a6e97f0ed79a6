/** The charts of a run: one crosshair, honest scales, smoothing that hides nothing, a pause, and a table. */
import type { Locator } from "@playwright/test";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

/** The shapes of a chart's lines. */
function lineShapes(chart: Locator): Promise<string[]> {
  return chart
    .locator(".recharts-line-curve")
    .evaluateAll((paths) => paths.map((path) => path.getAttribute("d") ?? ""));
}

test("one crosshair, scales, smoothing, a pause of drawing and a table", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, steps: 8, evalEvery: 4 } });
  await studio.trainToEnd();
  const rewards = studio.chart("Margin and rewards");
  const logps = studio.chart("Log-probs of answers");

  await test.step("hovering one chart draws the crosshair on every chart", async () => {
    await rewards.locator(".chart-surface").hover();
    await expect(logps.locator(".chart-hair")).toBeAttached();
    await expect(rewards.locator(".chart-readout")).toContainText("raw");
    await expect(rewards.locator(".chart-readout")).toContainText("smooth");
    await expect(rewards.locator(".chart-readout")).toContainText("margin");
    await page.mouse.move(2, 2);
    await expect(logps.locator(".chart-hair")).not.toBeAttached();
  });

  await test.step("symlog never loses a line, and log says why it cannot be chosen", async () => {
    const options = page.getByRole("button", { name: "Options of Margin and rewards" });
    await options.click();
    const dialog = page.getByRole("dialog", { name: "Options of Margin and rewards" });
    await expect(dialog.getByRole("radio", { name: "log", exact: true })).toBeDisabled();
    await expect(dialog).toContainText(/0|negative/);
    for (const scale of ["linear", "symlog"]) {
      await dialog.getByText(scale, { exact: true }).click();
      for (const shape of await lineShapes(rewards)) expect(shape).toMatch(/^M[\d.]+,[\d.]+/);
    }
    await page.keyboard.press("Escape");
    await expect(options).toBeFocused();
  });

  await test.step("smoothing leaves the raw line where it is", async () => {
    const smoothing = page.getByRole("slider", { name: "Smoothing", exact: true });
    await smoothing.focus();
    await page.keyboard.press("Home");
    await expect(page.getByText("Smooth 0.00", { exact: true })).toBeVisible();
    const raw = await studio.values("Margin and rewards", "rewards/margins");
    await smoothing.focus();
    await page.keyboard.press("End");
    await expect(page.getByText("Smooth 0.99", { exact: true })).toBeVisible();
    await expect(rewards.locator(".chart-caption")).toContainText("smooth 0.99");
    expect(await studio.values("Margin and rewards", "rewards/margins")).toEqual(raw);
    const shapes = await lineShapes(rewards);
    expect(shapes.length).toBeGreaterThan(0);
    for (const shape of shapes) expect(shape).not.toContain("NaN");
  });

  await test.step("the table holds every step and is sorted by its headings", async () => {
    await page.getByRole("button", { name: "Options of Margin and rewards" }).click();
    await page.getByRole("button", { name: "View as table" }).click();
    const table = page.getByRole("region", { name: "Margin and rewards as a table" });
    await expect(table.getByRole("row")).toHaveCount(1 + 9);
    const first = table.getByRole("row").nth(1).getByRole("rowheader");
    await expect(first).toHaveText("8");
    await table.getByRole("button", { name: /^step/ }).click();
    await expect(first).toHaveText("0");
    await rewards.getByRole("button", { name: "Chart" }).click();
    await expect(table).toBeHidden();
  });
});

test("a pause of drawing freezes the plots while steps go on", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, steps: 200, evalEvery: 0 } });
  await studio.trainToStep(3);
  await page.getByRole("button", { name: "Pause drawing" }).click();
  const rewards = studio.chart("Margin and rewards");
  const summary = rewards.locator(".chart-spoken").last();
  const frozen = await summary.textContent();
  const step = await studio.step();
  await studio.expectStep(step + 3);
  expect(await summary.textContent()).toBe(frozen);
  await page.getByRole("button", { name: "Draw again" }).click();
  await expect(summary).not.toHaveText(frozen ?? "");
  await page.getByTestId("stop-button").click();
  await studio.expectPhase("stopped");
});
