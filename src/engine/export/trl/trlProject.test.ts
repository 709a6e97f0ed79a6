import { describe, expect, it } from "vitest";
import type { TokenPair } from "../../data/tokenPair.ts";
import { objectives } from "../../losses/index.ts";
import type { Objective } from "../../losses/objective.ts";
import { stepPairs } from "../../training/batches.ts";
import { defaultConfig, type RunConfig } from "../../training/config.ts";
import { pythonLosses } from "./pythonLosses.ts";
import { trlProject } from "./trlProject.ts";

const pair = (row: number): TokenPair => ({
  prompt: Int32Array.of(1, 10 + row),
  chosen: Int32Array.of(100 + row, 2),
  rejected: Int32Array.of(200 + row, 2),
  row,
  rewardGap: row / 10,
});
const train = Array.from({ length: 10 }, (_, row) => pair(row));

function project(
  changes: Partial<RunConfig>,
  pairs: readonly TokenPair[] = train,
  base = "acme/tiny",
): Map<string, string> {
  const files = trlProject({
    config: { ...defaultConfig, batchPairs: 4, steps: 3, ...changes },
    label: "it",
    base,
    train: pairs,
    heldout: [pair(10)],
    textsOf: ({ row }) => ({ prompt: `p${row}`, chosen: `c${row}`, rejected: `r${row}` }),
    adapter: [{ name: "adapter_config.json", bytes: new TextEncoder().encode("{}") }],
    saes: [{ layer: 2, files: [{ name: "cfg.json", bytes: new TextEncoder().encode("{}") }] }],
    startToken: 1,
  });
  return new Map(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]));
}

const rowsOf = (files: ReadonlyMap<string, string>): Record<string, unknown>[] =>
  (files.get("data/train.jsonl") ?? "")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Every knob of an objective with a value that is found nowhere else. */
function marked({ parameters }: Objective): Record<string, number> {
  return Object.fromEntries(
    parameters.map(({ key, choices, default: value }, index) => [
      key,
      choices === undefined ? 0.1234567 + index : value,
    ]),
  );
}

describe.each(Object.entries<Objective>(objectives))("%s", (method, objective) => {
  it("has a loss in PyTorch, which a sum brings along with every knob's value", () => {
    expect(pythonLosses[method]).toBeDefined();
    const params = marked(objective);
    const script = project({ method, params, sftWeight: 0.25 }).get("train.py") ?? "";
    expect(script).toContain(`def ${method}(s, p):`);
    expect(script).toContain("0.25 * nll(s)");
    for (const [key, value] of Object.entries(params)) expect(script).toContain(`"${key}": ${value}`);
  });

  it("passes the value of every knob on, alone as well", () => {
    const params = marked(objective);
    const script = project({ method, params }).get("train.py") ?? "";
    const lost = objective.parameters
      .filter(({ key, choices }) => choices === undefined && key !== "labelSmoothing")
      .filter(({ key }) => !script.includes(String(params[key])));
    expect(lost.map(({ key }) => key)).toEqual([]);
  });
});

describe("a project", () => {
  it("has the pairs in the order of the first epoch, each once, as text and as tokens", () => {
    const rows = rowsOf(project({ method: "dpo", params: { beta: 0.1 } }));
    const read = [1, 2, 3].flatMap((step) =>
      stepPairs({ ...defaultConfig, batchPairs: 4 }, train)(step).map(({ row }) => row),
    );
    const firstEpoch = [...new Set(read)].slice(0, 10);
    expect(rows.map(({ prompt }) => prompt)).toEqual(firstEpoch.map((row) => `p${row}`));
    const [first = -1] = firstEpoch;
    expect(rows[0]).toEqual({
      prompt: `p${first}`,
      chosen: `c${first}`,
      rejected: `r${first}`,
      prompt_ids: [1, 10 + first],
      chosen_ids: [100 + first, 2],
      rejected_ids: [200 + first, 2],
      reward_gap: first / 10,
    });
  });

  it("gives KTO the answers that measure its drift: of the next pair of the micro-batch, of either side in turn", () => {
    const rows = rowsOf(project({ method: "kto", params: { beta: 0.1 }, isShuffled: false }));
    // Micro-batches of 4: pairs 0–3, 4–7 and 8–9.
    expect(rows.map(({ mismatched_ids: ids }) => (ids as number[])[0])).toEqual([
      101, 202, 103, 200, 105, 206, 107, 204, 109, 208,
    ]);
  });

  it("takes TRL's own trainer where it has the loss, and says in its README which", () => {
    const trainerOf = (changes: Partial<RunConfig>) =>
      /trainer = (\w+)\(/.exec(project(changes).get("train.py") ?? "")?.[1];
    expect(trainerOf({ method: "dpo", params: { beta: 0.1 } })).toBe("TokenTrainer");
    expect(trainerOf({ method: "dpo", params: { beta: 0.1, labelSmoothing: 0.1 } })).toBe("StudioTrainer");
    expect(trainerOf({ method: "sft", params: {} })).toBe("SFTTrainer");
    expect(trainerOf({ method: "fpo", params: {} })).toBe("StudioTrainer");
    expect(project({ method: "tdpo2", params: {} }).get("README.md")).toContain("TRL has no such loss");
  });

  it("asks for the folder of a model that is no repository", () => {
    expect(project({}).get("train.py")).toContain('MODEL = "acme/tiny"');
    const script = project({}, train, "story").get("train.py");
    expect(script).toContain('"--model", required=True');
    expect(script).not.toContain("MODEL =");
  });

  it("starts from the adapter it comes with, or from the bare model where all weights train", () => {
    const [lora, full] = [project({}), project({ tuning: "full" })];
    expect(lora.get("adapter/adapter_config.json")).toBe("{}");
    expect(lora.get("train.py")).toContain(
      'PeftModel.from_pretrained(model, FOLDER / "adapter", is_trainable=True)',
    );
    expect(full.get("train.py")).not.toContain("PeftModel");
    expect(lora.get("saes/0/cfg.json")).toBe("{}");
  });
});

describe("answers to prompts of their own", () => {
  // The last pair alone has one prompt.
  const apart = train.map((one) =>
    one.row === 9 ? one : { ...one, rejectedPrompt: Int32Array.of(1, 50 + one.row) },
  );

  it("keep them in the data, and in every row where one has them", () => {
    for (const row of rowsOf(project({ method: "kto" }, apart))) {
      const own = (row["rejected_ids"] as number[])[0]! - 200;
      expect(row["prompt_ids"]).toEqual([1, 10 + own]);
      expect(row["rejected_prompt_ids"]).toEqual(own === 9 ? [1, 19] : [1, 50 + own]);
    }
    expect(rowsOf(project({ method: "kto" })).some((row) => "rejected_prompt_ids" in row)).toBe(false);
  });

  it("meet the other pair's answer behind the prompt of that side, as in the studio", () => {
    const rows = rowsOf(project({ method: "kto" }, apart));
    rows.slice(0, 4).forEach((row, index) => {
      const [prompt, other] =
        index % 2 === 0
          ? (["prompt_ids", "chosen_ids"] as const)
          : (["rejected_prompt_ids", "rejected_ids"] as const);
      expect(row["mismatched_prompt_ids"]).toEqual(row[prompt]);
      expect(row["mismatched_ids"]).toEqual(rows[(index + 1) % 4]![other]);
    });
  });

  it("are trained behind them by KTO's trainer and by the one that is brought along, not by TRL's DPO", () => {
    expect(project({ method: "kto" }, apart).get("train.py")).toContain('row.get("rejected_prompt_ids"');
    expect(project({ method: "aot_unpaired" }).get("train.py")).toContain("trainer = TokenTrainer(");
    const script = project({ method: "aot_unpaired" }, apart).get("train.py");
    expect(script).toContain("trainer = StudioTrainer(");
    expect(script).toContain('row.get("rejected_prompt_ids"');
  });
});
