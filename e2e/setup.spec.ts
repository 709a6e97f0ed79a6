/** The setup: methods, presets, live and waiting changes, problems, sharing, and the whole cycle by keyboard. */
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

const twoSteps = { steps: 2, evalEvery: 0 };

test("methods of every kind of reference train, their own knobs beside them", async ({ studio, page }) => {
  await studio.open({ settings: twoSteps });
  const runs = [
    { method: "SFT", knobs: [] },
    { method: "DPO", knobs: ["params.beta", "params.labelSmoothing"] },
    { method: "SimPO", knobs: ["params.beta", "params.gamma"] },
    { method: "TDPO₂", knobs: ["params.beta", "params.alpha"] },
  ];
  for (const { method, knobs } of runs) {
    await studio.chooseMethod(method);
    await expect(page.locator("[data-field^='params.']")).toHaveCount(knobs.length);
    for (const knob of knobs) await expect(studio.field(knob)).toBeVisible();
    await expect(page).toHaveURL(new RegExp(method === "DPO" ? "preset=tiny-dpo(?!.*method=)" : "method="));
    await expect(page.getByRole("region", { name: `Explain: ${method}` })).toBeVisible();
    await studio.trainToEnd();
    await expect(page.getByTestId("changes-chip")).toBeHidden();
    expect(await studio.step()).toBe(2);
    await studio.openPlot("Loss");
    const losses = await studio.values("Loss", "loss");
    expect(losses).toHaveLength(2);
    for (const { y } of losses) expect(y).toBeGreaterThan(0);
    await expect(studio.pairMap).not.toHaveAttribute("aria-label", /moved by 0 and rejected by 0/);
    await page.getByRole("button", { name: /^Pairs told apart/ }).click();
  }
});

test("all weights can be trained", async ({ studio, page }) => {
  await studio.open({ settings: { ...twoSteps, tuning: "full" } });
  await expect(page.getByTestId("preflight")).toContainText("(100%)");
  await studio.trainToEnd();
  await expect(studio.pairMap).not.toHaveAttribute("aria-label", /moved by 0 and rejected by 0/);
});

test("a change of β waits for the next run, the learning rate applies at once", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, beta: 0.2, steps: 200, evalEvery: 0 } });
  await studio.trainToStep(1);
  await studio.field("params.beta").fill("0.3");
  const chip = page.getByTestId("changes-chip");
  await expect(chip).toHaveText("1 change for the next run");
  await studio.field("learningRate").fill("0.0005");
  await expect(page.getByText("Learning rate 0.0005").first()).toBeAttached();
  await expect(chip).toHaveText("1 change for the next run");
  await expect(await studio.openLog()).toContainText(/Learning rate \S+ → 0\.0005\./);
  const at = await studio.step();
  await studio.expectStep(at + 2);

  await chip.click();
  const changes = page.getByRole("dialog", { name: "Changes for the next run" });
  await expect(changes.getByRole("row", { name: /β/ })).toContainText("0.3");
  await page.keyboard.press("Escape");
  await studio.trainButton.click();
  await studio.expectPhase("paused");
  await expect(studio.trainButton).toHaveText(/Restart\s*with 1 change/);
  await studio.trainButton.click();
  await expect(chip).toBeHidden();
  await studio.expectPhase("training");
  await page.getByTestId("stop-button").click();
  await studio.expectPhase("stopped");
  await expect(page).toHaveURL(/beta=0\.3/);
});

test("a value out of range is named, and Train leads to it", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  const rank = studio.field("loraRank");
  await page.getByText("Adapter", { exact: true }).click();
  await rank.fill("999");
  await expect(page.getByTestId("problems")).toContainText("Rank: Must be at most 128.");
  await expect(studio.trainButton).toContainText("1 problem");
  await studio.trainButton.click();
  await expect(rank).toBeFocused();
  await studio.expectPhase("ready");
  await page.getByRole("button", { name: /^Reset Rank to/ }).click();
  await expect(page.getByTestId("problems")).toBeHidden();
  await studio.expectAction("train");
});

test("what saves work and memory comes with the link, is set by keyboard, and shows in the cost", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: { ...onCpu, sharesPrompts: false, checkpointing: "on", topLayers: 1 } });
  const preflight = page.getByTestId("preflight");
  await expect(preflight).toContainText("computed again");
  await expect(preflight).not.toContainText("instead of");
  const trainedNumbers = () => preflight.locator("dd").first().innerText();
  const ofOneLayer = await trainedNumbers();

  await page.getByText("Reading and computing", { exact: true }).click();
  const shared = studio.field("sharesPrompts");
  await expect(shared).not.toBeChecked();
  await shared.focus();
  await page.keyboard.press("Space");
  await expect(shared).toBeChecked();
  await expect(page).not.toHaveURL(/sharesPrompts/);
  await expect(preflight).toContainText(/\d instead of \d+ \(−\d+%\)/);

  await expect(studio.field("checkpointing")).toHaveValue("on");
  await studio.field("checkpointing").selectOption("auto");
  await expect(preflight).toContainText("kept whole");

  await page.getByText("Adapter", { exact: true }).click();
  await expect(studio.field("topLayers")).toHaveValue("1");
  await page.getByRole("button", { name: "Reset Top layers to 0" }).click();
  await expect.poll(trainedNumbers).not.toBe(ofOneLayer);
  await expect(page).not.toHaveURL(/topLayers|checkpointing/);
});

test("a run shows what its steps hold beside the estimate, and says so in the log", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: twoSteps });
  const preflight = page.getByTestId("preflight");
  await expect(preflight).toContainText(/A step holds\s*\?\s*≈ [\d.]+ MB/);
  await studio.trainToEnd();
  await expect(preflight).toContainText(/A step holds\s*\?\s*[\d.]+ MB \(≈ [\d.]+ MB estimated\)/);
  await expect(page.locator(".status-text")).toContainText(/a step holds [\d.]+ MB/);
  await expect(await studio.openLog()).toContainText(
    /A step holds [\d.]+ MB on the device; layers are kept whole, because that takes only [\d.]+ MB\./,
  );
  await studio.field("batchPairs").fill("2");
  await expect(preflight).not.toContainText("estimated");
});

test("a preset changes the setup, and the link says exactly what is in it", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  await studio.field("preset").selectOption("harmless");
  await expect(page.getByTestId("data-summary")).toContainText("judge");
  await expect(studio.field("data")).toHaveValue("helpful-harmless");
  await expect(page.getByRole("radio", { name: "Harmless" })).toBeChecked();
  await expect(page).toHaveURL(/preset=harmless&seed=7&v=1$/);

  await studio.field("batchPairs").fill("5");
  await expect(page).toHaveURL(/batchPairs=5/);
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog", { name: "Share this setup" });
  await expect(dialog.getByLabel("Link")).toHaveValue(page.url());
  await expect(dialog).toContainText(/Preset\s*Harmless · DPO/);
  await expect(dialog).toContainText(/Batch\s*5/);
  await expect(dialog).toContainText(/Seed\s*7/);
  await expect(dialog).toContainText("no weights, no prompts, no answers, no files");
});

test("the keys do the whole cycle and never fire while somebody types", async ({ studio, page }) => {
  await studio.open({ settings: { ...onCpu, steps: 60, evalEvery: 0 } });
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard" });
  await expect(sheet).toContainText("Train, pause, resume");
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();

  const seed = studio.field("seed");
  await seed.fill("");
  await seed.pressSequentially("s r.8");
  await expect(seed).toHaveValue("s r.8");
  await studio.expectPhase("ready");
  await seed.fill("7");
  await seed.blur();

  await page.keyboard.press("Space");
  await studio.expectStep(1);
  await page.keyboard.press("Space");
  await studio.expectPhase("paused");
  const paused = await studio.step();
  await page.keyboard.press("s");
  await expect.poll(() => studio.step()).toBe(paused + 1);
  await studio.expectPhase("paused");
  await page.keyboard.press(".");
  await expect(page.getByRole("button", { name: "Draw again" })).toBeVisible();
  await page.keyboard.press(".");
  await page.keyboard.press("Space");
  await studio.expectStep(paused + 2);
  await page.keyboard.press("r");
  await expect.poll(() => studio.step()).toBeLessThan(paused + 2);
  await studio.expectStep(1);
  await page.getByTestId("stop-button").click();
  await studio.expectPhase("stopped");
});

test("every control of the top line and the run can be reached and seen by keyboard", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: onCpu });
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the run" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#live")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(studio.trainButton).toBeFocused();
  const outline = await studio.trainButton.evaluate((button) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(button);
    return { outlineStyle, width: Number.parseFloat(outlineWidth) };
  });
  expect(outline.outlineStyle).not.toBe("none");
  expect(outline.width).toBeGreaterThanOrEqual(2);
  await page.keyboard.press("Enter");
  await studio.expectPhase("done");
});
