/** The studio as a person uses it: the buttons, the words and the numbers that are on the screen. */
import { expect, type Locator, type Page } from "@playwright/test";
import { readFile } from "node:fs/promises";

/** Settings of a link by their names in the configuration. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A run that a software GPU finishes in seconds, and whose first step moves the model already. */
const smallRun: Settings = {
  preset: "tiny-dpo",
  steps: 4,
  batchPairs: 1,
  evalPairs: 2,
  evalEvery: 2,
  samplePrompts: 1,
  sampleTokens: 6,
  warmupSteps: 0,
  schedule: "constant",
  seed: 7,
  v: 1,
};

/** Where the page is what is looked at, small runs are quicker without a GPU that is software itself. */
export const onCpu: Settings = { backend: "cpu" };

/** A run on a software GPU takes its time, and says nothing about how long it takes elsewhere. */
const runTimeoutMs = 120_000;

/** What is opened. */
export interface Opening {
  readonly settings?: Settings;
  /** Faults asked for, such as `nan@3`. */
  readonly inject?: string;
}

/** The address of a small run with other settings and faults. */
export function addressOf({ settings = {}, inject }: Opening = {}): string {
  const entries = Object.entries({ ...smallRun, ...settings }).map(([name, value]) => `${name}=${value}`);
  return `/${inject === undefined ? "" : `?inject=${inject}`}#/train?${entries.join("&")}`;
}

/** The page and what journeys do on it. */
export class Studio {
  readonly page: Page;
  readonly trainButton: Locator;
  readonly pairMap: Locator;
  readonly samples: Locator;

  constructor(page: Page) {
    this.page = page;
    this.trainButton = page.getByTestId("train-button");
    this.pairMap = page.getByTestId("pair-map");
    this.samples = page.getByRole("region", { name: "Samples" });
  }

  /** Opens the page and waits until it can train. */
  async open(opening: Opening = {}): Promise<void> {
    await this.page.goto(addressOf(opening));
    await this.expectReady();
  }

  async expectReady(): Promise<void> {
    await this.expectPhase("ready");
    await this.expectAction("train");
  }

  /** Waits until the worker has nothing left to do: the last thing it does unasked is to time a step. */
  async expectTimed(): Promise<void> {
    await expect(this.page.getByTestId("status-line")).toContainText("≈");
  }

  async expectPhase(phase: string): Promise<void> {
    await expect(this.page.getByTestId("phase")).toHaveAttribute("data-phase", phase, {
      timeout: runTimeoutMs,
    });
  }

  async expectAction(action: string): Promise<void> {
    await expect(this.trainButton).toHaveAttribute("data-action", action);
  }

  /** Presses Train and waits for the end of the run. */
  async trainToEnd(): Promise<void> {
    await this.trainButton.click();
    // An earlier run's end is still on the screen until the new run is asked for.
    await expect(this.trainButton).not.toHaveAttribute("data-action", /^(train|restart)$/);
    await this.expectPhase("done");
  }

  /** Presses Train and waits until so many steps are done. */
  async trainToStep(step: number): Promise<void> {
    await this.trainButton.click();
    await this.expectStep(step);
  }

  /** The step in the command bar. */
  async step(): Promise<number> {
    const text = await this.page.getByTestId("status-line").innerText();
    return Number(/step ([\d,]+)/.exec(text)?.[1]?.replace(",", "") ?? Number.NaN);
  }

  async expectStep(least: number): Promise<void> {
    await expect.poll(() => this.step(), { timeout: runTimeoutMs }).toBeGreaterThanOrEqual(least);
  }

  /** The message of a code. */
  message(code: string): Locator {
    return this.page.locator(`[data-code="${code}"]`);
  }

  chart(title: string): Locator {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  /** A box of the setup by the field's name in the configuration. */
  field(name: string): Locator {
    return this.page.locator(`[data-field="${name}"]`);
  }

  /** Chooses a method by its card, in whatever group it is. */
  async chooseMethod(label: string): Promise<void> {
    const filter = this.page.getByLabel("Find a method");
    await filter.fill(label);
    await this.page.getByRole("radio", { name: new RegExp(`^${label}:`) }).click();
    await filter.fill("");
  }

  /** Opens the plot of a closed tile. */
  async openPlot(title: string): Promise<void> {
    await this.page.getByRole("button", { name: new RegExp(`^${title}`) }).click();
    await expect(this.chart(title)).toBeVisible();
  }

  /** The raw values of a chart by column, as its CSV file has them. */
  async values(title: string, column: string): Promise<{ x: number; y: number }[]> {
    await this.page.getByRole("button", { name: `Options of ${title}` }).click();
    const downloading = this.page.waitForEvent("download");
    await this.page.getByRole("button", { name: "Download CSV" }).click();
    const text = await readFile(await (await downloading).path(), "utf8");
    await this.page.keyboard.press("Escape");
    const [names = [], ...rows] = text
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    const index = names.indexOf(column);
    expect(index, `${title} has a column ${column}`).toBeGreaterThan(0);
    return rows
      .filter((row) => row[index] !== "")
      .map((row) => ({ x: Number(row[0]), y: Number(row[index]) }));
  }

  async openLog(): Promise<Locator> {
    const log = this.page.getByTestId("log");
    if (!(await log.isVisible())) await this.page.getByTestId("log-button").click();
    return log;
  }
}
