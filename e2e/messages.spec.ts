/** Every coded message by its fault: title, number, and a first action that works. */
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

/** Steps between checkpoints: a fault after this many can be resumed. */
const checkpointStep = 20;

test.describe("a loss that is not a number", () => {
  test("NUM-1 resumes from the last good step with a third of the learning rate", async ({
    studio,
    page,
  }) => {
    await studio.open({
      settings: { steps: checkpointStep + 3, evalEvery: 0, learningRate: 0.003 },
      inject: `nan@${checkpointStep + 2}`,
    });
    await studio.trainButton.click();
    await studio.expectPhase("failed");
    const message = studio.message("NUM-1");
    await expect(message).toContainText(`Loss is not a number at step ${checkpointStep + 2}.`);
    await expect(message).toContainText(`Last good state: step ${checkpointStep}.`);
    await expect(page.getByTestId("phase")).toHaveText("NUM-1");
    await expect(studio.trainButton).toContainText(`from step ${checkpointStep}`);

    await message.getByRole("button", { name: `Resume from ${checkpointStep} with lr ÷ 3` }).click();
    await studio.expectPhase("done");
    await expect(message).toBeHidden();
    await expect(studio.field("learningRate")).toHaveValue("1e-3");
    await expect(await studio.openLog()).toContainText("Resuming with learning rate 0.001.");
    await studio.openPlot("Loss");
    const losses = await studio.values("Loss", "loss");
    expect(losses.map(({ x }) => x)).toEqual(
      Array.from({ length: checkpointStep + 3 }, (_, index) => index + 1),
    );
  });

  test("NUM-1 before the first checkpoint starts again", async ({ studio, page }) => {
    await studio.open({ settings: onCpu, inject: "nan@2" });
    await studio.trainButton.click();
    await studio.expectPhase("failed");
    await expect(studio.message("NUM-1")).toContainText("No step was kept before it.");
    await expect(studio.chart("Margin and rewards")).toBeVisible();
    await page.getByRole("button", { name: "Start again with lr ÷ 3" }).click();
    await studio.expectPhase("done");
    expect(await studio.step()).toBe(4);
  });

  test("NUM-2 restarts the device and goes on", async ({ studio, page }) => {
    await studio.open({ inject: "zero@2" });
    await studio.trainButton.click();
    await studio.expectPhase("failed");
    const message = studio.message("NUM-2");
    await expect(message).toContainText("The GPU returned nothing.");
    await expect(message).toContainText("exactly 0 at step 2");
    await page.getByRole("button", { name: "Restart device" }).first().click();
    await studio.expectPhase("done");
    await expect(message).toBeHidden();
  });
});

test("MEM-1 names what needs less memory, and goes on with half the batch", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, batchPairs: 2 }, inject: "oom@1" });
  await studio.trainButton.click();
  await studio.expectPhase("failed");
  const message = studio.message("MEM-1");
  await expect(message).toContainText("GPU memory ran out before the first step.");
  await expect(message).toContainText(/A batch needs about [\d.]+ [kM]B of it\./);
  await expect(message).toContainText(
    /: a batch of 1, layers computed again, the last layer alone, rank \d+\./,
  );
  await expect(studio.trainButton).toHaveText("Less memory");
  await message.getByRole("button", { name: "Start again with a batch of 1" }).click();
  await studio.expectPhase("done");
  await expect(message).toBeHidden();
  await expect(studio.field("batchPairs")).toHaveValue("1");
  await expect(page).toHaveURL(/accumulationSteps=2/);
  expect(await studio.step()).toBe(4);
});

test.describe("a trainer that dies", () => {
  test.use({ expectedErrors: [/stopped by the injected fault/] });

  test("WRK-1 restarts from the last good step", async ({ studio, page }) => {
    await studio.open({
      settings: { steps: checkpointStep + 3, evalEvery: 0 },
      inject: `kill@${checkpointStep + 2}`,
    });
    await studio.trainButton.click();
    await studio.expectPhase("failed");
    const message = studio.message("WRK-1");
    await expect(message).toContainText("The trainer stopped.");
    await expect(message).toContainText("stopped by the injected fault");
    await expect(message).toContainText(`Step ${checkpointStep} is safe.`);
    await message.getByRole("button", { name: `Restart from step ${checkpointStep}` }).click();
    await studio.expectPhase("done");
    await expect(message).toBeHidden();
    await studio.openPlot("Loss");
    const losses = await studio.values("Loss", "loss");
    expect(losses.map(({ x }) => x)).toEqual(
      Array.from({ length: checkpointStep + 3 }, (_, index) => index + 1),
    );
    await page.getByTestId("restart-button").click();
    await studio.expectStep(1);
    await page.getByTestId("stop-button").click();
    await studio.expectPhase("stopped");
  });

  test("WRK-1 hears that a trainer hangs", async ({ studio }) => {
    await studio.open({ settings: onCpu, inject: "hang@2" });
    await studio.trainButton.click();
    await studio.expectPhase("failed");
    const message = studio.message("WRK-1");
    await expect(message).toContainText("no sign of life for 15 s");
    await message.getByRole("button", { name: "Restart from the beginning" }).click();
    await studio.expectPhase("done");
    expect(await studio.step()).toBe(4);
  });
});

test("GPU-3 and GPU-4 say what a software GPU can do", async ({ studio, page }) => {
  await studio.open();
  const message = studio.message("GPU-3");
  await expect(message).toContainText("Running on a software GPU.");
  await expect(page.getByTestId("capability-chip")).toContainText("f32");
  await message.getByRole("button", { name: "Details" }).click();
  const dialog = page.getByRole("dialog", { name: "Device" });
  await expect(dialog).toContainText(/software GPU\s*yes/);
  await expect(dialog).toContainText(/16-bit shaders\s*no/);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await message.getByRole("button", { name: "Continue" }).click();
  await expect(message).toBeHidden();
});

test("LNK-1 lists what a link asks for in vain and keeps the rest", async ({ studio }) => {
  await studio.open({ settings: { ...onCpu, colour: "blue", batchPairs: -4, learningRate: 0.001, v: 9 } });
  const message = studio.message("LNK-1");
  await expect(message).toContainText("2 settings in this link could not be used and were skipped.");
  await expect(message).toContainText("colour=blue (the setting is unknown)");
  await expect(message).toContainText("batchPairs=-4 (the value is not allowed here)");
  await expect(message).toContainText("newer version");
  await expect(studio.field("learningRate")).toHaveValue("1e-3");
  await message.getByRole("button", { name: "OK" }).click();
  await expect(message).toBeHidden();
  await studio.expectAction("train");
});
