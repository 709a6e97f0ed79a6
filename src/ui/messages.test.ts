import { expect, it } from "vitest";
import type { MessageCode } from "../worker/protocol.ts";
import { messageCatalogue } from "./messages.ts";
import { phaseWords } from "./text.ts";

const details = {
  step: 87,
  lastGoodStep: 80,
  wasActive: 1,
  reason: "no sign of life for 15 s",
  file: "foo.bin",
  message: "38 of 512 pairs need a look: 12 identical.",
  count: 2,
  settings: "colour=red (the setting is unknown); steps=0 (the value is not allowed here)",
  newerThan: null,
};

it("has a title, a reason and an action for every code, with all numbers filled in", () => {
  for (const write of Object.values(messageCatalogue)) {
    const { title, text, primary } = write(details, { secondsPerStep: 0.4 });
    expect(`${title} ${text} ${primary.label}`).not.toMatch(/undefined|null|NaN|\[object/);
    expect(title.length).toBeGreaterThan(8);
    expect(text.length).toBeGreaterThan(20);
  }
});

it("copes with a failure that knows no safe step", () => {
  const bare = { step: 3, lastGoodStep: null, wasActive: 1, reason: "x" };
  for (const code of ["NUM-1", "NUM-2", "WRK-1"] satisfies MessageCode[]) {
    const { title, text, primary } = messageCatalogue[code](bare, { secondsPerStep: null });
    expect(`${title} ${text} ${primary.label}`).not.toMatch(/null|undefined/);
  }
});

it("names what needs less memory, and goes on where it can", () => {
  const facts = { secondsPerStep: null };
  const ranOut = {
    step: 0,
    lastGoodStep: null,
    wasActive: 1,
    bytes: 412e6,
    remedy: "a batch of 4",
    remedies: "a batch of 4, rank 4",
    canResume: 1,
  };
  expect(messageCatalogue["MEM-1"](ranOut, facts)).toMatchObject({
    title: "GPU memory ran out before the first step.",
    text: "A batch needs about 412 MB of it. These need less, the cheapest first: a batch of 4, rank 4.",
    primary: { label: "Start again with a batch of 4", action: "resume-less-memory" },
  });
  expect(messageCatalogue["MEM-1"]({ ...ranOut, step: 47, lastGoodStep: 40 }, facts)).toMatchObject({
    title: "GPU memory ran out after step 47.",
    primary: { label: "Resume from 40 with a batch of 4" },
  });
  const spent = { ...ranOut, remedy: null, remedies: "" };
  expect(messageCatalogue["MEM-1"](spent, facts).primary.action).toBe("show-length");
  const loading = messageCatalogue["MEM-1"]({ part: "weights", message: "Too large." }, facts);
  expect(loading.title).toContain("while the model was loaded");
  expect(messageCatalogue["GPU-2"]({ message: "no adapter" }, facts).text).toContain("asks for one");
});

it("says the numbers that matter", () => {
  const facts = { secondsPerStep: 0.25 };
  expect(messageCatalogue["NUM-1"](details, facts)).toMatchObject({
    title: "Loss is not a number at step 87.",
    primary: { label: "Resume from 80 with lr ÷ 3" },
  });
  expect(messageCatalogue["GPU-1"]({}, facts).text).toContain("250 ms a step");
  expect(messageCatalogue["LNK-1"](details, facts).title).toContain("2 settings");
  expect(messageCatalogue["DAT-2"]({ message: "2 of 9.", rows: 2 }, facts)).toMatchObject({
    text: "2 rows were left out; the other pairs are loaded.",
    primary: { label: "Skip them" },
    secondary: { label: "Review" },
  });
  expect(messageCatalogue["DAT-2"]({ message: "1 of 9.", rows: 0 }, facts).secondary?.action).toBe(
    "show-length",
  );
  expect(messageCatalogue["RUN-1"]({ message: "Not found.", isStart: 1 }, facts).primary.action).toBe(
    "restart-trainer",
  );
  expect(messageCatalogue["FIL-1"]({ file: "foo.bin", isTooLarge: 1 }, facts).title).toBe(
    "“foo.bin” is too large.",
  );
  expect(messageCatalogue["FIL-1"]({ file: "foo.bin" }, facts).title).toBe(
    "“foo.bin” is not a format I know.",
  );
  expect(
    messageCatalogue["FIL-1"]({ file: "a.csv", message: '"a.csv" holds no rows.' }, facts),
  ).toMatchObject({
    title: "“a.csv” could not be opened.",
    text: expect.stringMatching(
      /^"a\.csv" holds no rows\. Accepted: pairs as JSONL.* Nothing was changed\.$/,
    ),
  });
  const told = '"a.csv" is not a format I know: it is not text. Accepted: JSONL or CSV.';
  expect(messageCatalogue["FIL-1"]({ file: "a.csv", message: told }, facts)).toMatchObject({
    title: "“a.csv” is not a format I know.",
    text: `${told} Nothing was changed.`,
  });
});

it("has a word for every phase", () => {
  expect(Object.values(phaseWords).every((word) => word.length > 3)).toBe(true);
});

it("names what could not be downloaded, and goes on with it only where that was a download", () => {
  const facts = { secondsPerStep: null };
  const lost = { file: "model.safetensors", status: 404, message: "huggingface.co has no such file." };
  expect(messageCatalogue["NET-1"](lost, facts)).toMatchObject({
    title: "“model.safetensors” could not be downloaded (404).",
    text: "huggingface.co has no such file.",
    primary: { label: "Load from disk" },
  });
  expect(messageCatalogue["NET-1"]({ repo: "a/b", file: "", host: "h" }, facts).title).toBe(
    "“a/b” could not be downloaded.",
  );
  expect(messageCatalogue["NET-1"]({ ...lost, id: "hub:a/b@1" }, facts)).toMatchObject({
    primary: { label: "Retry", action: "continue-download" },
    secondary: { label: "Load from disk" },
  });
  expect(messageCatalogue["FIL-2"]({ id: "hub:a/b@1", message: "310 of 412 MB." }, facts)).toMatchObject({
    text: "310 of 412 MB.",
    primary: { label: "Continue download" },
  });
});

it("says how full the storage is and how large a buffer has to be, and offers 4 bits only where there are more", () => {
  const facts = { secondsPerStep: null };
  expect(messageCatalogue["STO-1"]({ usedBytes: 1.9e9, quotaBytes: 2e9 }, facts)).toMatchObject({
    title: "Browser storage is full (1.9 GB of 2.0 GB).",
    primary: { label: "Free space", action: "show-models" },
  });
  const large = { neededBytes: 1.6e9, availableBytes: 1e9 };
  expect(messageCatalogue["GPU-5"](large, { ...facts, baseWeights: "keep" })).toMatchObject({
    title: "One buffer of 1.6 GB is needed; this GPU allows 1.0 GB.",
    primary: { label: "Use 4-bit base" },
    secondary: { label: "Smaller model" },
  });
  expect(messageCatalogue["GPU-5"](large, { ...facts, baseWeights: "q4" })).toMatchObject({
    primary: { label: "Smaller model", action: "show-models" },
    secondary: null,
  });
});
