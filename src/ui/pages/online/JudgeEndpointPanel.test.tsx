// @vitest-environment happy-dom
/** The form of a language model at an address, whose secret stands nowhere but in its box. */
import { act } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { judgeList, refreshJudges } from "../../../state/judges.ts";
import { useTrialStore } from "../../../state/judgeTrial.ts";
import { useMessageStore } from "../../../state/messageStore.ts";
import { useRewardModelStore } from "../../../state/rewardModels.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testOnlineAnswers } from "../../../state/testOnlineAnswers.ts";
import { JudgeEndpointPanel } from "./JudgeEndpointPanel.tsx";
import {
  area,
  closePart,
  config,
  find,
  openPart,
  page,
  press,
  show,
  trainer,
  type,
  words,
} from "./judges.testing.tsx";

beforeEach(openPart);
afterEach(closePart);

it("hands the secret to the trainer, and has no copy of it afterwards", async () => {
  const secret = "sk-7f3a-very-secret";
  await refreshJudges();
  await show(<JudgeEndpointPanel />);
  expect((area("endpoint-key") as HTMLInputElement).value).toBe("");
  // No box that a browser offers to keep.
  expect((area("endpoint-key") as HTMLInputElement).type).toBe("text");
  expect(area("endpoint-key")?.getAttribute("autocomplete")).toBe("off");
  await type(area("endpoint-url"), "http://localhost:11434/v1");
  expect(find("endpoint-leaves")?.textContent).toBe(
    "Every prompt and answer that it scores goes to localhost:11434 and does not leave this machine.",
  );
  await type(area("endpoint-url"), "http://judge.example/v1");
  expect(find("endpoint-leaves")?.textContent).toContain("others on the way can read them");
  await type(area("endpoint-url"), "https://judge.example/v1/");
  expect(find("endpoint-leaves")?.textContent).not.toContain("others on the way");
  expect(find("endpoint-leaves")?.textContent).toContain("will leave this machine for judge.example");
  await type(area("endpoint-model"), "small");
  await type(area("endpoint-key"), secret);
  expect((area("endpoint-key") as HTMLInputElement).value).toBe(secret);
  // It stands in its box, and in no attribute that is drawn from a state.
  expect(document.documentElement.outerHTML).not.toContain(secret);
  trainer.refusals.set("setEndpoint", { name: "X", code: "CFG-1", message: "Not that one.", details: {} });
  await act(async () => find("use-endpoint")?.closest("form")?.requestSubmit());
  await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  expect(trainer.questions("setEndpoint")).toMatchObject([
    { endpoint: { url: "https://judge.example/v1", model: "small", key: secret } },
  ]);
  expect(words()).toContain("Not that one. The secret was not kept: type it again, too.");
  expect(everywhere()).not.toContain(secret);
  trainer.refusals.clear();
  const { rubric } = (trainer.questions("setEndpoint")[0] as { endpoint: { rubric: string } }).endpoint;
  trainer.answers.listJudges = () => ({
    ...testOnlineAnswers.listJudges,
    endpoint: {
      url: "https://judge.example/v1",
      model: "small",
      rubric,
      hasKey: true,
      sends: "Sent to judge.example: your rubric, the prompt and the answer.",
    },
  });
  await type(area("endpoint-key"), secret);
  await act(async () => find("use-endpoint")?.closest("form")?.requestSubmit());
  await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  expect(find("endpoint-leaves")?.textContent).toContain("Sent to judge.example");
  expect(everywhere()).not.toContain(secret);
  expect(words()).toContain("It is asked by no round before it is put in use.");
  await press(find("put-endpoint-in-use"));
  expect(config().judges.at(-1)).toEqual({ judge: { kind: "endpoint" }, weight: 1 });
  expect(find("put-endpoint-in-use")).toBeNull();
  trainer.answers.listJudges = () => testOnlineAnswers.listJudges;
  await press(find("forget-endpoint"));
  expect(trainer.questions("setEndpoint").at(-1)).toEqual({ endpoint: null });
  expect((area("endpoint-key") as HTMLInputElement).value).toBe("");
});

/** All that the page holds: its markup, the values of its boxes, its stores, what it keeps, and its address. */
function everywhere(): string {
  const boxes = [...page.querySelectorAll<HTMLInputElement>("input, textarea, select")].map(
    ({ value }) => value,
  );
  const stores = [
    useSetupStore,
    useRunStore,
    useTrialStore,
    useRewardModelStore,
    useMessageStore,
    judgeList.useStore,
  ].map((store) => JSON.stringify(store.getState()));
  return [
    document.documentElement.outerHTML,
    ...boxes,
    ...stores,
    ...[localStorage, sessionStorage].flatMap((storage) =>
      Array.from({ length: storage.length }, (_, place) => storage.getItem(storage.key(place) ?? "") ?? ""),
    ),
    location.href,
  ].join("\n");
}
