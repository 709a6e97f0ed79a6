/** The same studio on a phone: nothing scrolls sideways, and the run is under the thumb. */
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

test("a run on a phone @phone", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  const width = page.viewportSize()?.width ?? 0;
  const height = page.viewportSize()?.height ?? 0;
  const expectNoSidewaysScroll = async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  };
  await expectNoSidewaysScroll();
  const box = await studio.trainButton.boundingBox();
  // The lower third of the screen is where a thumb is, and 44 pixels is what it can hit.
  expect(box?.y ?? 0).toBeGreaterThan((2 / 3) * height);
  expect(box?.height ?? 0).toBeGreaterThanOrEqual(44);

  await page.getByTestId("open-settings").tap();
  const sheet = page.getByRole("dialog", { name: "Settings" });
  await sheet.locator('[data-field="steps"]').fill("3");
  await expectNoSidewaysScroll();
  await sheet.getByRole("button", { name: "Close the settings" }).tap();
  await expect(sheet).toBeHidden();
  await expect(page.getByTestId("open-settings")).toContainText("3 steps");

  await studio.trainButton.tap();
  await studio.expectPhase("done");
  expect(await studio.step()).toBe(3);
  await expectNoSidewaysScroll();

  const tabs = page.getByRole("tablist", { name: "Plots" });
  for (const [tab, chart] of [
    ["Log-probs", "Log-probs of answers"],
    ["Loss", "Loss"],
    ["Margin", "Margin and rewards"],
  ] as const) {
    await tabs.getByRole("tab", { name: tab, exact: true }).tap();
    await expect(studio.chart(chart)).toBeVisible();
    await expectNoSidewaysScroll();
  }
  await page.getByTestId("open-explain").tap();
  await expect(page.getByRole("dialog", { name: "Explain: DPO" })).toBeVisible();
  await page.getByRole("button", { name: "Close the explanation" }).tap();
});
