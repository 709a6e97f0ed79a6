/** Online rounds: drawn, judged and trained in the page; a person as the judge; a judge behind an address that fails. */
import { createServer, type Server } from "node:http";
import { readFile } from "node:fs/promises";
import { addressOf, onCpu } from "./studio.ts";
import { test, expect } from "./test.ts";

/** Two rounds over four prompts, small enough for a software device. */
const twoRounds = {
  ...onCpu,
  preset: "online",
  rounds: 2,
  steps: 2,
  evalEvery: 0,
  onlinePrompts: 4,
  answersPerPrompt: 3,
  samplePrompts: 4,
  sampleTokens: 8,
  batchPairs: 2,
};

test("a model is trained in two rounds, and every number of them can be looked at and taken away", async ({
  studio,
  page,
}) => {
  await studio.open({ settings: twoRounds });
  await page.getByTestId("online-link").click();
  await expect(page.getByTestId("loop-sentence")).toContainText("2 rounds over 4 prompts");
  await studio.trainButton.click();
  await expect(page.getByRole("region", { name: "Rounds as a table" }).getByRole("row")).toHaveCount(3, {
    timeout: 120_000,
  });
  await expect(studio.trainButton).toHaveAttribute("data-action", "train", { timeout: 120_000 });
  await expect(page.getByTestId("cost-sentence")).toContainText("drawn");
  await expect(page.getByTestId("judge-sentence")).toContainText("After round 2");

  await page.getByRole("tab", { name: "Prompts" }).click();
  await expect(page.getByText(/^4 prompts:/)).toBeVisible();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save these pairs" }).click();
  const text = await readFile(await (await downloading).path(), "utf8");
  const rows = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(Object.keys(row).sort()).toEqual([
      "chosen",
      "prompt",
      "rejected",
      "score_chosen",
      "score_rejected",
    ]);
    expect(row["score_chosen"]).toBeGreaterThan(Number(row["score_rejected"]));
  }

  await page.getByRole("tab", { name: "Judges" }).click();
  await page.getByRole("button", { name: "A chosen answer" }).click();
  await page.getByTestId("try-judges").click();
  await expect(page.getByTestId("trial-scores")).toContainText("Kind");
});

test("a person judges a round by keyboard", async ({ studio, page }) => {
  const judges = JSON.stringify([{ judge: { kind: "person" }, weight: 1 }]);
  const settings = { ...twoRounds, rounds: 1, steps: 1, answersPerPrompt: 2, onlinePrompts: 3 };
  await studio.open({ settings: { ...settings, judges: encodeURIComponent(judges), method: "dpo" } });
  await page.getByTestId("online-link").click();
  await studio.trainButton.click();
  const progress = page.getByTestId("judgement-progress");
  await expect(progress).toContainText("0 of 3", { timeout: 120_000 });
  await page.keyboard.press("1");
  await page.keyboard.press("2");
  await page.keyboard.press("u");
  await expect(progress).toContainText("1 of 3");
  await page.keyboard.press("2");
  await page.keyboard.press("0");
  await expect(progress).toContainText("1 without a pair");
  await page.getByTestId("send-judgement").click();
  await expect(studio.trainButton).toHaveAttribute("data-action", "train", { timeout: 120_000 });
  await page.getByRole("tab", { name: "Prompts" }).click();
  await expect(page.getByText("3 prompts: 2 with a new pair")).toBeVisible();
});

test.describe("a judge behind an address", () => {
  const secret = "sk-not-for-anyone";
  let server: Server;
  let url = "";
  let isIll = true;
  const keys: (string | undefined)[] = [];

  test.beforeEach(async () => {
    isIll = true;
    server = createServer((request, response) => {
      request.resume();
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "*");
      if (request.method === "OPTIONS") {
        response.end();
        return;
      }
      keys.push(request.headers.authorization);
      response.statusCode = isIll ? 400 : 200;
      const content = String(keys.length % 10);
      response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/v1`;
  });
  test.afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  test("fails, is asked again, and its secret stays where it was typed", async ({ studio, page }) => {
    const judges = JSON.stringify([{ judge: { kind: "endpoint" }, weight: 1 }]);
    const settings = { ...twoRounds, rounds: 1, steps: 1, answersPerPrompt: 2, onlinePrompts: 2 };
    const opening = { ...settings, judges: encodeURIComponent(judges), method: "dpo", samplePrompts: 1 };
    await page.goto(addressOf({ settings: opening }));
    await studio.expectAction("show-problem");
    await page.getByTestId("online-link").click();
    await page.getByRole("tab", { name: "Judges" }).click();
    await page.getByTestId("endpoint-url").fill(url);
    await page.getByTestId("endpoint-model").fill("judge");
    await page.getByTestId("endpoint-key").fill(secret);
    await page.getByTestId("use-endpoint").click();
    await expect(page.getByTestId("forget-endpoint")).toBeVisible();
    await page.getByRole("tab", { name: "Rounds" }).click();
    await studio.trainButton.click();
    const alert = page.getByTestId("judge-failed");
    await expect(alert).toContainText("4 answers of round 1", { timeout: 120_000 });
    expect(keys.every((key) => key === `Bearer ${secret}`)).toBe(true);
    isIll = false;
    await page.getByTestId("retry-judges").click();
    await expect(studio.trainButton).toHaveAttribute("data-action", "train", { timeout: 120_000 });
    const kept = await page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), location.href]),
    );
    expect(kept).not.toContain(secret);
    expect(await page.content()).not.toContain(secret);
  });
});
