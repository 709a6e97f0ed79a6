/** Questions about preference sets, asked of a session with the tiny model. */
import { readFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readDataSet } from "../engine/data/readDataSet.ts";
import type { DataStep } from "../engine/data/steps/dataStep.ts";
import { createDataDesk } from "./dataDesk.ts";
import { reportError } from "./errorReport.ts";
import type { Commands, Phase, WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

// Runs and answers take well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const { session, events, heard } = openStudio(undefined, (path) =>
  Promise.resolve(new Uint8Array(readFileSync(`public/${path}`))),
);

const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && (["done", "failed"] as Phase[]).includes(event.phase);

beforeAll(async () => {
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
});

type LoadQuestion = Commands["loadData"]["question"];

const loadQuestion: LoadQuestion = {
  id: "local",
  objective: "",
  files: [tinyDataFile()],
  maxTokens: 32,
  terminator: "auto",
  layout: "",
  columns: {},
  steps: [],
};
const load = (changes: Partial<LoadQuestion> = {}) => session.loadData({ ...loadQuestion, ...changes });

beforeEach(async () => {
  await load();
});

const everything = {
  search: "",
  split: "all",
  flag: null,
  sortBy: "row",
  isDescending: false,
  from: 0,
  count: 100,
} as const;
const question = {
  prompts: null,
  count: 3,
  answersPerPrompt: 2,
  temperature: 1,
  maxNewTokens: 6,
  seed: 5,
};
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

async function refusal(ask: () => unknown) {
  try {
    await ask();
    return null;
  } catch (error) {
    return reportError(error);
  }
}

describe("the table", () => {
  it("shows the set after its steps, every row by its place as it was read", async () => {
    const before = (await session.dataRows(everything)).rows;
    expect(before.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, row) => row));
    expect(before.filter(({ split }) => split === "heldout")).toHaveLength(6);
    const steps: DataStep[] = [
      { kind: "subset", pairs: 10, by: "random", seed: 1 },
      { kind: "flip", share: 0.3, seed: 1 },
      { kind: "revise", row: 24, chosen: " is good." },
    ];
    const summary = await load({ steps });
    const { rows, matches } = await session.dataRows(everything);
    expect([matches, summary.trainPairs, summary.heldoutPairs, summary.readPairs]).toEqual([16, 10, 6, 30]);
    expect(summary.steps.map(({ trainPairs }) => trainPairs)).toEqual([10, 10, 10]);
    for (const { row, source, ...shown } of rows) {
      const read = before[row]!;
      const isSwapped = source.endsWith("answers swapped");
      const [chosen, rejected] = isSwapped ? [read.rejected, read.chosen] : [read.chosen, read.rejected];
      expect(shown).toMatchObject({
        prompt: read.prompt,
        rejected,
        chosen: row === 24 ? " is good." : chosen,
      });
    }
    expect(rows.filter(({ source }) => source.endsWith(": answers swapped"))).toHaveLength(3);
    expect(rows.find(({ row }) => row === 24)?.source).toMatch(/^pairs\.jsonl, row \d+: revised$/);
  });

  it("tells the health of what is loaded, and a fix makes the finding go", async () => {
    const lines = decode(tinyDataFile().bytes).split("\n");
    const files = [
      { name: "twice.jsonl", bytes: new TextEncoder().encode([...lines, ...lines.slice(0, 5)].join("\n")) },
    ];
    await load({ files });
    const found = await session.dataHealth(null);
    const duplicates = found.findings.find(({ check }) => check === "duplicate");
    expect(duplicates?.count).toBe(5);
    expect((await session.dataRows({ ...everything, flag: "duplicate" })).matches).toBe(5);
    await load({ files, steps: [{ kind: "drop", check: "duplicate" }] });
    const after = await session.dataHealth(null);
    expect(after.findings.some(({ check }) => check === "duplicate")).toBe(false);
    expect((await session.dataRows(everything)).matches).toBe(30);
    expect(after.lengths.edges.length).toBe(after.lengths.chosen.length + 1);
  });

  it("names what was cut, and leaves it out when asked to", async () => {
    const long = { prompt: `the ${"a".repeat(40)}`, chosen: " is kind.", rejected: " is sad." };
    const lines = `${decode(tinyDataFile().bytes)}\n${JSON.stringify(long)}`;
    const files = [{ name: "long.jsonl", bytes: new TextEncoder().encode(lines) }];
    expect(await load({ files, maxTokens: 48 })).toMatchObject({ truncatedPrompts: 1 });
    const { findings } = await session.dataHealth(null);
    const cut = findings.find(({ check }) => check === "truncated");
    expect(cut?.count).toBe(1);
    expect(cut?.sentence).toContain("longer than 48 tokens");
    const [row] = (await session.dataRows({ ...everything, flag: "truncated" })).rows;
    expect([row?.prompt, row?.row]).toEqual([long.prompt, cut?.rows[0]]);
    const steps: DataStep[] = [{ kind: "drop", check: "truncated" }];
    expect(await load({ files, maxTokens: 48, steps })).toMatchObject({ truncatedPrompts: 0 });
    expect((await session.dataRows(everything)).matches).toBe(30);
  });
});

describe("firstBatch", () => {
  it("shows the pairs of the first step by their places, and refuses a setup that reads other pairs", async () => {
    const dataSteps: DataStep[] = [{ kind: "subset", pairs: 10, by: "random", seed: 1 }];
    await load({ steps: dataSteps });
    const config = { ...tinyRunConfig, dataSteps };
    const seen = await session.firstBatch({ config });
    expect(seen).toHaveLength(config.batchPairs * config.accumulationSteps);
    const { rows } = await session.dataRows(everything);
    for (const { row, promptTokens, chosen } of seen) {
      const shown = rows.find((other) => other.row === row);
      expect(shown?.split).toBe("train");
      expect(chosen.ids.length - promptTokens).toBe(shown?.chosenTokens);
      expect(chosen.tokens.join("")).toContain(`${shown?.prompt}${shown?.chosen}`);
    }
    const other = await refusal(() => session.firstBatch({ config: tinyRunConfig }));
    expect(other?.message).toContain("other steps than the setup has");
  });
});

describe("readData", () => {
  it("reads as loading would, without using what it read", async () => {
    const text = '{"question": "the a", "good": " is kind", "bad": " is sad"}\n{"question": "the b"}\n';
    const files = [{ name: "own.jsonl", bytes: new TextEncoder().encode(text) }];
    const columns = { prompt: "question", chosen: "good", rejected: "bad" };
    const reading = await session.readData({ id: "local", files, layout: "trlExplicit", columns });
    expect(reading).toMatchObject({
      label: "own.jsonl",
      layout: "trlExplicit",
      columns: ["question", "good", "bad"],
      columnsByRole: columns,
      rows: 2,
      read: 1,
    });
    expect(reading.preview[0]?.pair).toEqual({ prompt: "the a", chosen: " is kind", rejected: " is sad" });
    expect((await session.dataRows(everything)).matches).toBe(30);
    const layouts = await session.listLayouts(null);
    expect(layouts.find(({ id }) => id === reading.layout)?.roles).toContainEqual({
      id: "prompt",
      column: "prompt",
      isOptional: false,
    });
  });

  it("reads embedded sets too", async () => {
    const ask = { id: "kind-endings", files: null, layout: "", columns: {} };
    expect(await session.readData(ask)).toMatchObject({ rows: 800, read: 800, isCertain: true });
  });

  const elsewhere = {
    model: () => Promise.reject(new Error("no model")) as never,
    data: () => Promise.reject(new Error("no data")) as never,
    alone: <Answer>(change: () => Promise<Answer>) => change(),
    withPolicy: () => Promise.reject(new Error("no policy")),
    fetchFile: () => Promise.reject(new Error("no file")),
  };
  const ask = { id: "hub:some/set#pairs.jsonl?rows=7", files: null, layout: "", columns: {} };

  it("reads no more of a file on the Hub than is asked for", async () => {
    const asked: string[] = [];
    const openHubData = (id: string) => {
      asked.push(id);
      return Promise.resolve(tinyDataFile());
    };
    const reading = await createDataDesk({ ...elsewhere, openHubData }).readData(ask);
    expect([reading.rows, reading.read, asked]).toEqual([7, 7, [ask.id]]);
  });

  it("says when the Hub cannot be reached", async () => {
    const desk = createDataDesk(elsewhere);
    expect(await refusal(() => desk.readData(ask))).toMatchObject({ code: "NET-1" });
    expect(await refusal(() => desk.inspectHubData({ repo: "some/set" }))).toMatchObject({ code: "NET-1" });
  });
});

describe("firstBatch", () => {
  it("shows the pairs of the first step by their places, and refuses pairs that were read otherwise", async () => {
    const dataSteps: DataStep[] = [{ kind: "subset", pairs: 12, by: "random", seed: 3 }];
    await load({ steps: dataSteps });
    const config = { ...tinyRunConfig, dataSteps };
    const seen = await session.firstBatch({ config });
    expect(seen).toHaveLength(tinyRunConfig.batchPairs);
    const { rows } = await session.dataRows(everything);
    for (const { row, promptTokens, chosen } of seen) {
      const shown = rows.find((other) => other.row === row);
      expect(shown?.split).toBe("train");
      expect(chosen.tokens.slice(promptTokens).join("")).toContain(shown?.chosen);
      expect(chosen.isScored.filter(Boolean)).toHaveLength(shown?.chosenTokens ?? 0);
    }
    const refused = await refusal(() => session.firstBatch({ config: tinyRunConfig }));
    expect(refused?.message).toContain("read with other steps");
  });
});

describe("sampleAnswers", () => {
  it("gives the same answers to the same question, to different training prompts", async () => {
    const first = await session.sampleAnswers(question);
    expect(first).toHaveLength(3);
    expect(new Set(first.map(({ prompt }) => prompt)).size).toBe(3);
    const train = (await session.dataRows({ ...everything, split: "train" })).rows;
    for (const { prompt, answers } of first) {
      expect(train.map((row) => row.prompt)).toContain(prompt);
      expect(answers).toHaveLength(2);
      expect(answers[0]).not.toBe(answers[1]);
    }
    expect(await session.sampleAnswers(question)).toEqual(first);
    expect(await session.sampleAnswers({ ...question, seed: 6 })).not.toEqual(first);
    const prompts = ["the aa", "my own"];
    const own = await session.sampleAnswers({ ...question, prompts, temperature: 0 });
    expect(own.map(({ prompt }) => prompt)).toEqual(prompts);
    expect(own.every(({ answers: [one, other] }) => one === other)).toBe(true);
  });

  it("samples the policy once there was a run", async () => {
    const greedy = { ...question, temperature: 0, maxNewTokens: 12 };
    const before = await session.sampleAnswers(greedy);
    const from = events.length;
    const config = {
      ...tinyRunConfig,
      learningRate: 0.2,
      steps: 2,
      evalEvery: 0,
      evalPairs: 2,
      samplePrompts: 1,
    };
    await session.start({ runId: "run", config, resume: null, isStepping: false });
    await heard(isEnd, from);
    expect(await session.sampleAnswers(greedy)).not.toEqual(before);
  });

  it.each([
    [{ count: 0 }, "2 answers to each of 0 prompts are asked for"],
    [{ answersPerPrompt: 1000 }, "from 1 to 1024 answers"],
    [{ maxNewTokens: 0 }, "Answers of 0 tokens"],
    [{ temperature: -1 }, "The temperature is -1"],
    [{ temperature: NaN }, "The temperature is NaN"],
  ])("refuses %j", async (changes, sentence) => {
    const refused = await refusal(() => session.sampleAnswers({ ...question, ...changes }));
    expect(refused?.message).toContain(sentence);
  });
});

describe("exportData", () => {
  it("writes what reads back as the same rows, after the steps", async () => {
    await load({ steps: [{ kind: "flip", share: 0.5, seed: 2 }] });
    const files = await session.exportData(null);
    expect(files.map(({ name }) => name)).toEqual(["train.jsonl", "heldout.jsonl"]);
    const { rows } = await session.dataRows(everything);
    const read = await readDataSet(files);
    expect(read).toMatchObject({ problems: [], layout: "trlExplicit" });
    expect(read.rows.map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected }))).toEqual(
      rows.map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected })),
    );
    // Opened again, the file called "heldout" is held out and nothing else.
    const again = await load({ files });
    expect([again.trainPairs, again.heldoutPairs]).toEqual([24, 6]);
  });
});

describe("a run", () => {
  it("is refused on pairs that were read with other steps or columns than it names", async () => {
    const start = (changes: object) =>
      refusal(() =>
        session.start({
          runId: "run",
          config: { ...tinyRunConfig, ...changes },
          resume: null,
          isStepping: false,
        }),
      );
    expect((await start({ dataSteps: [{ kind: "relabel" }] }))?.message).toContain("read with other steps");
    expect((await start({ dataLayout: "shp" }))?.message).toContain("read with other columns");
  });
});
