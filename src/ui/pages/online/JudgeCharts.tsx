import { useMemo, useState } from "react";
import type { OnlineEvaluation } from "../../../worker/protocol.ts";
import { MetricChart } from "../../charts/MetricChart.tsx";
import { bestOfGuides, judgeSentence, judgeSeries, winRateSeries, winSentence } from "./onlineSeries.ts";

const height = 210;

/** Judge scores and the win rate of drawn answers to held-out prompts, against the seconds that the rounds took. */
export function JudgeCharts({ evaluations }: { readonly evaluations: readonly OnlineEvaluation[] }) {
  const [hoveredX, onHoverX] = useState<number | null>(null);
  const judges = useMemo(() => judgeSeries(evaluations, "seconds"), [evaluations]);
  const wins = useMemo(() => winRateSeries(evaluations), [evaluations]);
  const guides = useMemo(() => bestOfGuides(evaluations), [evaluations]);
  const shared = {
    xLabel: "second",
    scale: "linear",
    smoothing: 0,
    hoveredX,
    onHoverX,
    height,
    leastPlaces: firstSecond,
  } as const;
  return (
    <>
      <div className="online-chart">
        <MetricChart
          {...shared}
          title="Judge score by seconds"
          subtitle="eval_judge/heldout · eval_judge/score"
          series={judges}
          guides={guides}
          emptyText="Appears after the first evaluation."
        />
        <p className="online-sentence" data-testid="judge-sentence">
          {judgeSentence(evaluations)}
        </p>
      </div>
      <div className="online-chart">
        <MetricChart
          {...shared}
          title="Win rate by seconds"
          subtitle="eval_online/win_rate"
          series={wins}
          fixedRange={[0, 1]}
          guides={coinToss}
          emptyText="Appears after the first round."
        />
        <p className="online-sentence" data-testid="win-sentence">
          {winSentence(evaluations)}
        </p>
      </div>
    </>
  );
}

const firstSecond = [0, 1] as const;
const coinToss = [{ y: 0.5, label: "coin toss", side: "below" }] as const;
