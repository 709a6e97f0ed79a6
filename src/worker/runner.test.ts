import { beforeEach, expect, it } from "vitest";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel } from "../engine/testing/tinyModel.ts";
import type { Tokenizer } from "../engine/tokenizer/tokenizer.ts";
import { tinyRun } from "../engine/training/tinyRun.testing.ts";
import type { WorkerEvent } from "./protocol.ts";
import { startRunner } from "./runner.ts";

const tokenizer: Tokenizer = {
  encode: () => [],
  decode: (ids) => ids.join(" "),
  decodeTokens: (ids) => ids.map(String),
  specialTokens: new Map(),
  vocabularySize: 41,
  bosTokenId: 1,
  stopTokenIds: [],
  hasChatTemplate: false,
  renderChat: () => "",
};

beforeEach(async () => {
  await openTestDevice("cpu");
});

it("names the step after which sampling failed", async () => {
  const { model, dispose } = createTinyModel();
  const events: WorkerEvent[] = [];
  const hasHeard = (step: number) =>
    events.some((event) => event.type === "steps" && event.steps.some((record) => record.step === step));
  const score = () => {
    if (hasHeard(2)) throw new Error("The judge has left.");
    return 0;
  };
  const runner = startRunner({
    runId: "run",
    run: tinyRun(model, { steps: 3 }),
    sampling: {
      model,
      tokenizer,
      judge: { id: "test", label: "test", help: "", score },
      maxNewTokens: 2,
      temperature: 1,
      seed: 1,
    },
    prompts: [{ text: "the", ids: Int32Array.of(1, 5) }],
    activeMs: 0,
    saes: [],
    emit: (event) => events.push(event),
  });
  await runner.ended;
  dispose();
  expect(events.at(-1)).toMatchObject({ type: "failed", step: 2, error: { message: "The judge has left." } });
});
