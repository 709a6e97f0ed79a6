/** No GPU: the page says why, and trains on the CPU all the same. */
import { chromium } from "@playwright/test";
import { Studio, addressOf } from "./studio.ts";
import { test, expect } from "./test.ts";

/** The CPU needs its time: a run as small as it can be. */
const tinyRun = { steps: 2, evalPairs: 1, sampleTokens: 4, evalEvery: 0 };

async function expectCpuRun(studio: Studio): Promise<void> {
  await expect(studio.page.getByTestId("capability-chip")).toContainText("CPU");
  await expect(studio.trainButton).toContainText("Train on CPU");
  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);
  await expect(studio.pairMap).not.toHaveAttribute("aria-label", /moved by 0 and rejected by 0/);
}

test("GPU-1: a worker without navigator.gpu trains on the CPU", async ({ studio, page }) => {
  // The worker looks for the GPU itself, so it is its own navigator that has to lose it.
  await page.route("**/assets/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `delete WorkerNavigator.prototype.gpu;${await response.text()}` });
  });
  await studio.open({ settings: tinyRun });
  const message = studio.message("GPU-1");
  await expect(message).toContainText("No GPU access in this browser.");
  await message.getByRole("button", { name: "Enable the GPU" }).click();
  await expect(page.getByRole("dialog", { name: "Device" })).toContainText("How to get the GPU");
  await page.keyboard.press("Escape");
  await expectCpuRun(studio);
});

test("GPU-2: a browser whose GPU does not answer trains on the CPU", async ({ baseURL }) => {
  const browser = await chromium.launch({
    args: ["--no-sandbox", "--disable-gpu"],
    ...(process.env["CHROMIUM_PATH"] === undefined ? {} : { executablePath: process.env["CHROMIUM_PATH"] }),
  });
  try {
    const page = await browser.newPage(baseURL === undefined ? {} : { baseURL });
    const studio = new Studio(page);
    await studio.open({ settings: tinyRun });
    await expect(studio.message("GPU-2")).toContainText("WebGPU is there, but no GPU answered.");
    await expectCpuRun(studio);
  } finally {
    await browser.close();
  }
});

test("a link that asks for WebGPU where there is none offers the CPU instead", async ({ studio, page }) => {
  await page.goto(addressOf({ settings: { ...tinyRun, backend: "webgpu" }, inject: "no-gpu" }));
  await studio.expectPhase("failed");
  const message = studio.message("GPU-1");
  await expect(message).toContainText("This setup asks for one.");
  await message.getByRole("button", { name: "Train on CPU" }).click();
  await expect(message).toBeHidden();
  await studio.expectPhase("done");
  await expect(page).toHaveURL(/backend=cpu/);
  await expect(page.getByTestId("preflight")).toContainText("Trainable");
  await expect(studio.trainButton).toContainText("Train again on CPU");
});

test("every way without a GPU can be asked for, and its first action works", async ({ studio, page }) => {
  await studio.open({ settings: tinyRun, inject: "no-adapter" });
  await expect(studio.message("GPU-2")).toContainText("no GPU answered");

  await page.goto(addressOf({ settings: tinyRun, inject: "no-gpu,insecure" }));
  await expect(studio.message("GPU-1b").getByRole("button", { name: "Reload on https" })).toBeVisible();

  await studio.open({ settings: tinyRun, inject: "no-gpu" });
  const message = studio.message("GPU-1");
  await message.getByRole("button", { name: "Train on CPU" }).click();
  await expect(message).toBeHidden();
  await studio.expectPhase("done");
});
