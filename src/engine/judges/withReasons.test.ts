import { describe, expect, it } from "vitest";
import type { AnswerJudge, JudgedAnswer, Verdict } from "./answerJudge.ts";
import { withReasons } from "./withReasons.ts";

const answers = ["a", "b", "c"].map((answer): JudgedAnswer => ({
  prompt: "p",
  answer,
  promptIds: new Int32Array(),
  answerIds: new Int32Array(),
}));
const ask = (score: (...given: Parameters<AnswerJudge["score"]>) => unknown, signal?: AbortSignal) =>
  withReasons({ spec: { kind: "implicit" }, label: "Test", score: score as AnswerJudge["score"] }).score(
    answers,
    signal ?? new AbortController().signal,
  );
const everywhere = (reason: string) => answers.map(() => ({ reason }));

describe("withReasons", () => {
  it("leaves verdicts as they are", async () => {
    const verdicts: Verdict[] = [{ score: 0.5 }, { reason: "too long" }, { score: -3 }];
    expect(await ask(() => Promise.resolve(verdicts))).toEqual(verdicts);
  });

  it("names what is no score, and keeps the others", async () => {
    const odd = [{ score: NaN }, { score: 1 }, { score: -Infinity }];
    expect(await ask(() => odd)).toEqual([
      { reason: "The judge gave NaN in place of a score." },
      { score: 1 },
      { reason: "The judge gave -Infinity in place of a score." },
    ]);
    expect(await ask(() => [{ score: "7" }, null, { reason: "" }])).toEqual([
      { reason: "The judge gave what is string in place of a score." },
      { reason: "The judge gave what is undefined in place of a score." },
      { reason: "The judge failed without a reason." },
    ]);
    const holes: Verdict[] = [];
    holes[2] = { score: 1 };
    expect(await ask(() => holes)).toEqual([
      { reason: "The judge gave what is undefined in place of a score." },
      { reason: "The judge gave what is undefined in place of a score." },
      { score: 1 },
    ]);
  });

  it("fails all answers where the verdicts cannot be told apart", async () => {
    const [one, four] = [1, 4].map((length) => Array.from({ length }, () => ({ score: 1 })));
    expect(await ask(() => one)).toEqual(everywhere("The judge gave 1 verdicts for 3 answers."));
    expect(await ask(() => four)).toEqual(everywhere("The judge gave 4 verdicts for 3 answers."));
    expect(await ask(() => undefined)).toEqual(everywhere("The judge gave no list of verdicts."));
  });

  it("turns what is thrown and rejected into reasons of bounded length", async () => {
    const failing = () => {
      throw new Error("out of order");
    };
    expect(await ask(failing)).toEqual(everywhere("out of order"));
    // oxlint-disable-next-line prefer-promise-reject-errors -- a judge may reject with anything, and that is what is tested
    expect(await ask(() => Promise.reject(Object.create(null)))).toEqual(
      everywhere("The judge failed without a reason."),
    );
    const [long] = await ask(() => Promise.reject(new Error("x".repeat(10_000))));
    expect(long).toEqual({ reason: "x".repeat(300) });
  });

  it("lets the signal's reason through, whatever the judge does, and asks nothing after it", async () => {
    const reason = new Error("stopped");
    let asked = 0;
    await expect(ask(() => asked++, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(asked).toBe(0);
    for (const end of [() => answers.map(() => ({ score: 1 })), () => Promise.reject(new Error("other"))]) {
      const stop = new AbortController();
      const asking = ask(() => {
        stop.abort(reason);
        return end();
      }, stop.signal);
      await expect(asking).rejects.toBe(reason);
    }
  });
});
