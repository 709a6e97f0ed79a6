// @vitest-environment happy-dom
/** The settings of the rounds, in full and in short. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { formatLink, readLink } from "../../../state/link.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { testDescription } from "../../../state/testDescription.ts";
import { OnlineSection } from "../train/setup/OnlineSection.tsx";
import { closePart, config, find, named, openPart, press, show, type, words } from "./judges.testing.tsx";
import { OnlineSetup } from "./OnlineSetup.tsx";

beforeEach(openPart);
afterEach(closePart);

it("switches rounds on and off, and takes the weighted method only when asked", async () => {
  await show(<OnlineSetup />);
  expect(named("Rounds")).toBeUndefined();
  await press(find("online-switch"));
  expect(config()).toMatchObject({ rounds: 3, method: "dpo" });
  await press(named("Use Weighted DPO"));
  expect(config()).toMatchObject({ rounds: 3, method: "wdpo" });
  expect(find("weighted-suggestion")).toBeNull();
  await press(find("online-switch"));
  expect(config()).toMatchObject({ rounds: 0, method: "wdpo" });
});

it("shows the paper's values, names what is reconstructed, and puts problems at their fields", async () => {
  await show(<OnlineSetup />);
  await press(find("online-switch"));
  expect(words()).toContain("paper: 0.5–0.7");
  expect(words()).toContain("paper: 0.9");
  expect(words()).toContain("are this studio’s reconstruction");
  await type(named("Drawn anew (ρ)"), "1.5");
  expect(document.getElementById("regeneratedShare-problem")?.textContent).toBe("Must be at most 1.");
});

it("changes what a link carries, and nothing else", async () => {
  await show(<OnlineSetup />);
  await press(find("online-switch"));
  await type(named("Ranked by"), "gap");
  await press(named("Prompt baseline"));
  await type(named("Stop after a fall of"), "2");
  const read = readLink(formatLink(config(), "tiny-dpo", testDescription), testDescription);
  expect(read.skipped).toEqual([]);
  expect(read.config).toEqual(config());
  expect(read.config).toMatchObject({
    rounds: 3,
    rankingKey: "gap",
    hasPromptBaseline: true,
    declineRounds: 2,
  });
});

it("is short on the Train screen and leads to the rest", async () => {
  await show(<OnlineSection />);
  expect(named("Rounds")).toBeUndefined();
  await press(find("online-switch"));
  await type(named("Drawn anew (ρ)"), "0.25");
  expect(config().regeneratedShare).toBe(0.25);
  await press(named("Judges and all settings of the rounds"));
  expect(usePlaceStore.getState()).toMatchObject({ screen: "online", tabs: { online: "rounds" } });
});
