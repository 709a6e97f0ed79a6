/** The whole path once: land, train, watch, pause, step, resume, stop, and the same again from the link. */
import type { Request } from "@playwright/test";
import { test, expect } from "./test.ts";

const sameness = 1e-4;

test("a preference is learned, interrupted and repeated from its link", async ({ studio, page }) => {
  await studio.open({ settings: { steps: 60, batchPairs: 2, evalPairs: 4, sampleTokens: 8 } });
  await expect(page.getByText("Teach a tiny language model what you prefer.")).toBeVisible();
  const atRest = await studio.pairMap.getAttribute("aria-label");
  expect(atRest).toContain("on average chosen moved by 0 and rejected by 0");
  await expect(page.getByText("4 pairs: model = reference")).toBeVisible();

  await studio.trainToStep(3);
  await expect(studio.pairMap).not.toHaveAttribute("aria-label", atRest ?? "");
  const now = studio.samples.getByRole("region", { name: /^Now/ });
  await expect(now.locator(".samples-token:not([data-level='0'])").first()).toBeVisible();
  await expect(page).toHaveTitle(/▶.*margin.*Prefscope/);

  await studio.trainButton.click();
  await studio.expectPhase("paused");
  const paused = await studio.step();
  const margins = await studio.values("Margin and rewards", "rewards/margins");
  expect(margins.at(-1)?.x).toBe(paused);
  expect(Math.abs(margins.at(-1)?.y ?? 0)).toBeGreaterThan(0);

  await page.getByTestId("step-button").click();
  await expect.poll(() => studio.step()).toBe(paused + 1);
  await studio.expectPhase("paused");
  await studio.expectAction("resume");
  await studio.trainButton.click();
  await studio.expectStep(paused + 2);
  await page.getByTestId("stop-button").click();
  await studio.expectPhase("stopped");
  await expect(page.getByTestId("phase")).toHaveText(/Stopped at \d+, kept/);

  await studio.openPlot("Loss");
  const first = await studio.values("Loss", "loss");
  // Neither the pause nor the single step left a gap or a step that was taken twice.
  expect(first.map(({ x }) => x)).toEqual(first.map((_, index) => index + 1));

  await page.reload();
  await studio.expectReady();
  await studio.trainToStep(first.length);
  await page.getByTestId("stop-button").click();
  await studio.expectPhase("stopped");
  await studio.openPlot("Loss");
  const again = await studio.values("Loss", "loss");
  for (const [index, { y }] of first.entries()) {
    expect(Math.abs((again[index]?.y ?? Number.NaN) - y), `loss of step ${index + 1}`).toBeLessThan(sameness);
  }
});

test("nothing leaves the page: it trains, samples and saves without a network", async ({
  studio,
  page,
  context,
  baseURL,
}) => {
  const requests: string[] = [];
  const note = (request: Request) => requests.push(request.url());
  page.on("request", note);
  await studio.open();
  await studio.expectTimed();
  await expect(studio.chart("Margin and rewards")).toBeVisible();
  expect(requests.filter((url) => !url.startsWith(`${baseURL}/`))).toEqual([]);

  await context.setOffline(true);
  requests.length = 0;
  await studio.trainToEnd();
  await expect(studio.samples.getByRole("region", { name: /^Now/ })).toBeVisible();
  const names: string[] = [];
  page.on("download", (download) => names.push(download.suggestedFilename()));
  await page.getByTestId("save-button").click();
  await expect
    .poll(() => names.toSorted())
    .toEqual(["adapter_config.json", "adapter_model.safetensors", "prefscope-config.json"]);
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  // A file that is saved is made on the page: its address begins with blob:.
  expect(requests.filter((url) => !url.startsWith("blob:"))).toEqual([]);
  await context.setOffline(false);
});
