/** How often plots are drawn: at most twice a second, and less often where drawing is dear. */

/** Plots are drawn at most this often. */
const leastGapMs = 500;
/** A refresh of all plots may take this long before the rate halves, and again for every fourfold. */
const refreshBudgetMs = 50;
const slowestHalvings = 3;
/** Costs that the average remembers. */
const remembered = 24;

/** Remembers what drawing cost and says how long to wait between two drawings. */
export class RedrawPace {
  private costsMs: number[] = [];
  private plots = 0;

  /** Counts a plot in; the answer counts it out again. */
  join(): () => void {
    this.plots += 1;
    return () => {
      this.plots -= 1;
    };
  }

  /** Takes in what one drawing of one plot took. */
  observe(costMs: number): void {
    this.costsMs = [...this.costsMs.slice(1 - remembered), costMs];
  }

  /** Milliseconds between two drawings of a plot. */
  gapMs(): number {
    const sorted = this.costsMs.toSorted((left, right) => left - right);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const refreshMs = median * this.plots;
    if (refreshMs <= refreshBudgetMs) return leastGapMs;
    const halvings = 1 + Math.floor(Math.log(refreshMs / refreshBudgetMs) / Math.log(4));
    return leastGapMs * 2 ** Math.min(halvings, slowestHalvings);
  }
}
