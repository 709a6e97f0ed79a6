import { afterEach, describe, expect, it, vi } from "vitest";
import { alternate, medianRatio, timesInTurn } from "./rounds.ts";

/** Work that takes the next of the given milliseconds on a clock of its own, and notes that it was its turn. */
function clockedWork(turns: string[]) {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return (name: string, milliseconds: readonly number[]) => {
    let call = 0;
    return async () => {
      turns.push(name);
      now += milliseconds[call++] ?? NaN;
    };
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("sides in turn", () => {
  it("have one turn each in every round, and a side without work has none", async () => {
    const turns: string[] = [];
    const takes = clockedWork(turns);
    const times = await timesInTurn({ a: takes("a", [1, 2]), none: undefined, b: takes("b", [3, 5]) }, 2);
    expect(turns).toEqual(["a", "b", "a", "b"]);
    expect(times).toEqual({ a: [1, 2], none: [], b: [3, 5] });
  });

  it("are compared within each round: what slows one round down slows both sides", async () => {
    const takes = clockedWork([]);
    // The second round is ten times slower: ratios 2, 2 and 3. The medians alone, 10 and 30, would say 3.
    const sides = { own: takes("own", [10, 100, 10]), tfjs: takes("tfjs", [20, 200, 30]) };
    const { ratio, medianMs } = await alternate(sides, { rounds: 3 });
    expect(ratio).toEqual({ tfjs: 2, jax: null });
    expect(medianMs).toEqual({ own: 10, tfjs: 30, jax: null });
  });

  it("have a median ratio between the two in the middle, and none without rounds", () => {
    expect(medianRatio([1, 4], [1, 2])).toBe(1.5);
    expect(medianRatio([], [])).toBeNull();
  });
});
