import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JudgedAnswer } from "../../engine/judges/answerJudge.ts";
import type { JudgementEvent, JudgementQuestion } from "../protocol.ts";
import { createPersonDesk } from "./personJudge.ts";

const judged = (prompt: string, answer: string): JudgedAnswer => ({
  prompt,
  answer,
  promptIds: new Int32Array(),
  answerIds: new Int32Array(),
});

function openDesk(seed = 3) {
  const events: JudgementEvent[] = [];
  const desk = createPersonDesk();
  const stop = new AbortController();
  const judge = desk.judge({ runId: "r1", seed, emit: (event) => events.push(event) });
  const ask = (answers: readonly (readonly [string, string])[]) => {
    const verdicts = judge.score(
      answers.map(([prompt, answer]) => judged(prompt, answer)),
      stop.signal,
    );
    return { verdicts, question: events.at(-1)?.question ?? null };
  };
  return { ...desk, events, stop, ask };
}

const one = (...answers: string[]) => answers.map((answer) => ["p", answer] as const);
const placesOf = (question: JudgementQuestion | null, group: number) => (answer: string) =>
  question?.groups[group]?.answers.indexOf(answer) ?? -1;

describe("a person who judges", () => {
  it("gives 1 to the best, −1 to the worst, 0 to the others, wherever they were shown", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { ask, give } = openDesk(seed);
      const { verdicts, question } = ask([...one("a", "b", "c"), ["q", "x"], ["q", "y"]]);
      expect(question?.groups.map(({ prompt }) => prompt)).toEqual(["p", "q"]);
      const [inP, inQ] = [placesOf(question, 0), placesOf(question, 1)];
      orders.add(question?.groups[0]?.answers.join("") ?? "");
      give({
        id: question?.id ?? 0,
        choices: [
          { best: inP("b"), worst: inP("c") },
          { best: inQ("x"), worst: inQ("y") },
        ],
      });
      expect(await verdicts).toEqual([0, 1, -1, 1, -1].map((score) => ({ score })));
    }
    // Every order comes up, so that none tells anything.
    expect(orders.size).toBe(6);
  });

  it("is shown the same order by the same seed, and what is said is withdrawn once it was answered", async () => {
    const [first, second] = [openDesk(5), openDesk(5)];
    const [asked, other] = [first, second].map(({ ask }) => ask(one("a", "b", "c", "d", "e")));
    expect(asked?.question).toEqual(other?.question);
    first.give({ id: 1, choices: [null] });
    expect(await asked?.verdicts).toEqual(Array.from({ length: 5 }, () => ({ score: 0 })));
    expect(first.events.map(({ runId, question }) => [runId, question?.id])).toEqual([
      ["r1", 1],
      ["r1", undefined],
    ]);
    expect(() => first.give({ id: 1, choices: [null] })).toThrow("do not wait for a judgement any more");
  });

  it("sees equal answers once, and is not asked where there is nothing to choose", async () => {
    const { ask, give, events } = openDesk();
    expect(await ask([...one("a", "a"), ["q", "x"]]).verdicts).toEqual([0, 0, 0].map((score) => ({ score })));
    expect(await ask([]).verdicts).toEqual([]);
    expect(events).toEqual([]);
    const { verdicts, question } = ask([["q", "x"], ...one("a", "b", "a")]);
    expect(question?.groups).toHaveLength(1);
    expect(new Set(question?.groups[0]?.answers)).toEqual(new Set(["a", "b"]));
    const place = placesOf(question, 0);
    give({ id: question?.id ?? 0, choices: [{ best: place("a"), worst: place("b") }] });
    expect(await verdicts).toEqual([0, 1, -1, 1].map((score) => ({ score })));
  });

  it("may choose no impossible places, and is still asked then", async () => {
    const { ask, give } = openDesk();
    const { verdicts, question } = ask(one("a", "b"));
    const id = question?.id ?? 0;
    const refused = (choices: Parameters<typeof give>[0]["choices"]) => () => give({ id, choices });
    expect(refused([])).toThrow("0 choices were given for 1 prompts");
    expect(refused([{ best: 0, worst: 0 }])).toThrow("choose two different ones of 2");
    expect(refused([{ best: 0, worst: 2 }])).toThrow("answer 3 the worst");
    expect(refused([{ best: -1, worst: 0 }])).toThrow("choose two different ones");
    give({ id, choices: [null] });
    expect(await verdicts).toEqual([{ score: 0 }, { score: 0 }]);
  });

  it("is not waited for any more once the run is stopped", async () => {
    const { ask, give, events, stop } = openDesk();
    const { verdicts, question } = ask(one("a", "b"));
    const reason = new Error("stopped");
    stop.abort(reason);
    await expect(verdicts).rejects.toBe(reason);
    expect(events.at(-1)).toEqual({ type: "judgement", runId: "r1", question: null });
    expect(() => give({ id: question?.id ?? 0, choices: [null] })).toThrow("any more");
  });

  it("decides by the answers alone, whatever their number and order", async () => {
    const texts = fc.uniqueArray(fc.string({ maxLength: 5 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(), async (answers, seed) => {
        const { ask, give } = openDesk(seed);
        const { verdicts, question } = ask(one(...answers));
        const place = placesOf(question, 0);
        give({ id: 1, choices: [{ best: place(answers[1] ?? ""), worst: place(answers[0] ?? "") }] });
        const expected = answers.map((_, at) => ({ score: [-1, 1][at] ?? 0 }));
        expect(await verdicts).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});
