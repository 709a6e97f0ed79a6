/** The loss lab, the grouped methods with what is mixed in, and the numbers of the pair under the pointer. */
import axe from "axe-core";
import { onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

test("the loss lab answers before a run, follows β, and is read by keyboard and as a table", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: { ...onCpu, beta: 0.5 } });
  await page.getByRole("tab", { name: "Pair Map" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "Loss lab" })).toBeFocused();
  const surface = page.getByTestId("loss-surface");
  await expect(surface).toHaveAttribute(
    "aria-label",
    /the loss is 0\.693; it falls towards more chosen, less rejected/,
  );

  await surface.focus();
  await page.keyboard.press("ArrowRight");
  await expect(surface).toHaveAttribute(
    "aria-valuetext",
    /chosen 0, rejected 0: loss 0\.693, slope −0\.25 along chosen/,
  );
  await page.keyboard.press("Shift+ArrowRight");
  // ln(1 + e^−0.5) at a difference of 1.
  await expect(surface).toHaveAttribute("aria-valuetext", /chosen 1, rejected 0: loss 0\.474,/);

  await studio.field("params.beta").fill("1");
  await surface.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+ArrowRight");
  await expect(surface).toHaveAttribute("aria-valuetext", /chosen 1, rejected 0: loss 0\.313,/);
  await page.keyboard.press("Escape");
  await expect(surface).toHaveAttribute("aria-valuetext", "no probe");

  await page.getByRole("button", { name: "Loss lab as a table" }).click();
  const table = page.getByRole("region", { name: "Loss as a table" });
  await expect(table.getByRole("row")).toHaveCount(10);
  await expect(table).toContainText("0.693");
  await page.addScriptTag({ content: axe.source });
  for (const view of ["table", "map"]) {
    const violations = await page.evaluate(async () => {
      const { axe: injected } = window as unknown as { axe: typeof axe };
      const { violations: found } = await injected.run(document, { resultTypes: ["violations"] });
      return found.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id);
    });
    expect(violations, view).toEqual([]);
    if (view === "table") await page.getByRole("button", { name: "Loss lab as a map" }).click();
  }
});

test("a second method is mixed in with its own knobs, and the run, the link and the lab know it", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: { ...onCpu, evalEvery: 0, steps: 2 } });
  await page.getByText("Mix and reference", { exact: true }).click();
  await studio.field("secondMethod").selectOption("simpo");
  await studio.field("params.second.gamma").fill("1.25");
  await expect(page).toHaveURL(/secondMethod=simpo.*second\.gamma=1\.25/);
  await page.getByRole("tab", { name: "Loss lab" }).click();
  await expect(page.getByRole("region", { name: "Loss lab" })).toContainText("DPO + SimPO");
  await studio.field("params.second.gamma").fill("99");
  await expect(page.getByTestId("problems")).toContainText("γ is 99");
  await studio.field("params.second.gamma").fill("1.25");
  await expect(page.getByTestId("problems")).toBeHidden();
  await studio.trainToEnd();
  expect(await studio.step()).toBe(2);
  await page.reload();
  await expect(studio.field("secondMethod")).toHaveValue("simpo");
  await expect(studio.field("params.second.gamma")).toHaveValue("1.25");
  await page.getByText("Mix and reference", { exact: true }).click();
  await studio.field("secondMethod").selectOption("");
  await expect(page).not.toHaveURL(/second/);
});

test("the formula shows the numbers of the pair under the pointer, and the means without one", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: onCpu });
  await studio.trainToEnd();
  const numbers = page.getByTestId("pair-numbers");
  await expect(numbers).toContainText("Means over 2 held-out pairs");
  await studio.pairMap.focus();
  await page.keyboard.press("Home");
  const pair = /Pair (\d+),/.exec((await studio.pairMap.getAttribute("aria-valuetext")) ?? "")?.[1];
  await expect(numbers).toContainText(`Pair ${pair}`);
  await expect(numbers).toContainText(/−log σ\( 0\.5·\[.+\] \) = 0\.\d+/);
  await expect(numbers).toContainText(/pair weight σ\(−u\)\s*\d+%/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(numbers).toContainText(`Pair ${pair}, pinned`);
});

test("methods stand in groups that open, and arrow keys walk through all of them", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: onCpu });
  const chosen = page.locator('.column-setup [role="radio"][aria-checked="true"]');
  const first = await chosen.getAttribute("data-method");
  const seen = new Set<string>();
  await chosen.focus();
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("ArrowDown");
    await expect(chosen).toBeFocused();
    const id = (await chosen.getAttribute("data-method")) ?? "";
    if (id === first) break;
    seen.add(id);
  }
  expect(seen).toContain("sft");
  expect(seen).toContain("simpo");
  await page.getByRole("button", { name: /^Compare without one/ }).click();
  await page.getByRole("radio", { name: /^SimPO:/ }).click();
  await expect(page.getByTestId("method-needs")).toHaveText("Needs of the reference: nothing.");
});

test("the loss lab on a phone @phone", async ({ studio, page }) => {
  await studio.open({ settings: onCpu });
  await page.getByRole("tab", { name: "Loss lab" }).tap();
  const surface = page.getByTestId("loss-surface");
  await surface.tap({ position: { x: 30, y: 30 } });
  await expect(surface).toHaveAttribute("aria-valuetext", /chosen −[\d.]+, rejected [\d.]+: loss [\d.]+/);
  const width = page.viewportSize()?.width ?? 0;
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
});
