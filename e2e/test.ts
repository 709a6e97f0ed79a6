/** What every journey has: the studio's page, and the rule that it leaves no error behind. */
import { test as base } from "@playwright/test";
import { Studio } from "./studio.ts";

interface Options {
  /** Console errors that belong to the journey, such as the death of a worker that was asked for. */
  readonly expectedErrors: readonly RegExp[];
}

interface Fixtures {
  readonly studio: Studio;
}

/** The test of a journey; it fails on every error that the page or its worker logs. */
export const test = base.extend<Options & Fixtures>({
  expectedErrors: [[], { option: true }],
  studio: async ({ page, expectedErrors }, provide) => {
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("crash", () => errors.push("The page crashed."));
    await provide(new Studio(page));
    base
      .expect(
        errors.filter((text) => !expectedErrors.some((expected) => expected.test(text))),
        "errors in the console",
      )
      .toEqual([]);
  },
});

export { expect } from "@playwright/test";
