import { useMemo, useState } from "react";
import type { OnlineEvaluation } from "../../../worker/protocol.ts";
import { MetricChart } from "../../charts/MetricChart.tsx";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { judgeSeries, sampleSeries } from "./onlineSeries.ts";
import { judgesPart, type Parting } from "./overOptimisation.ts";

const height = 150;

const measures = [
  { title: "Drift (KL)", name: "samples/kl", label: "KL" },
  { title: "Entropy of answers", name: "samples/entropy", label: "entropy" },
  {
    title: "Repetition",
    name: "samples/distinct_2",
    label: "1 − distinct-2",
    of: (value: number) => 1 - value,
  },
] as const;

/** What the panel is made of. */
interface PartingPanelProps {
  readonly evaluations: readonly OnlineEvaluation[];
  /** Rounds of the run, which the axis is long. */
  readonly rounds: number;
  /** Whether the run has a judge that no selection sees, also while it has no score. */
  readonly isKeptAside: boolean;
}

/** Fewer rounds than this would have ticks between them. */
const shortestAxis = 3;

/** Proxy, held-out judge, KL, entropy and repetition by round, one under the other, with a badge when the judges part. */
export function PartingPanel({ evaluations, rounds, isKeptAside }: PartingPanelProps) {
  const [hoveredX, onHoverX] = useState<number | null>(null);
  const judges = useMemo(() => judgeSeries(evaluations, "rounds"), [evaluations]);
  const others = useMemo(
    () => measures.map((measure) => ({ ...measure, series: sampleSeries(evaluations, measure) })),
    [evaluations],
  );
  const parting = judgesPart(evaluations);
  const leastPlaces = useMemo(() => [0, Math.max(shortestAxis, rounds)] as const, [rounds]);
  const shared = {
    xLabel: "round",
    smoothing: 0,
    hoveredX,
    onHoverX,
    height,
    leastPlaces,
  } as const;
  return (
    <Panel
      title="Over-optimisation"
      className="parting"
      aside={parting !== null && <span className="parting-badge">The judges part</span>}
    >
      <PartingText parting={parting} newest={evaluations.at(-1)} isKeptAside={isKeptAside} />
      <div className="small-multiples">
        <MetricChart
          {...shared}
          title="Judges"
          subtitle="eval_judge/heldout · eval_judge/score"
          scale="linear"
          series={judges}
        />
        {others.map(({ title, name, series }) => (
          <MetricChart
            key={name}
            {...shared}
            title={title}
            subtitle={name === "samples/distinct_2" ? `1 − eval_${name}` : `eval_${name}`}
            scale="linear"
            series={series}
            emptyText="Not measured in this run."
          />
        ))}
      </div>
    </Panel>
  );
}

/** What is said while the judges have not parted. */
function quietSentence(newest: OnlineEvaluation | undefined, isKeptAside: boolean): string {
  if (!isKeptAside) {
    return "No judge is kept aside, so nobody would notice that the model learns to please its judges instead of becoming better. Choose one under Judges.";
  }
  if (newest === undefined || newest.rounds === 0) {
    return "The judges are compared once a round was measured.";
  }
  if (newest.heldout === null || newest.proxy === null) {
    const silent = newest.heldout === null ? "The judge kept aside has" : "The judges in use have";
    return `${silent} no score after round ${newest.rounds}, so nobody knows whether they part.`;
  }
  return "The judges agree so far: where the proxy rises, the judge kept aside has not fallen by more than its interval.";
}

function PartingText({
  parting,
  newest,
  isKeptAside,
}: {
  readonly parting: Parting | null;
  readonly newest: OnlineEvaluation | undefined;
  readonly isKeptAside: boolean;
}) {
  if (parting === null) {
    return (
      <p className="online-sentence" data-testid="parting">
        {quietSentence(newest, isKeptAside)}
      </p>
    );
  }
  const { from, to, proxyRise, heldoutFall, interval } = parting;
  return (
    <div className="parting-alert" role="alert" data-testid="parting">
      <p>
        <Icon name="error" /> <strong>The judges part.</strong>{" "}
        {`From round ${from} to round ${to} the proxy rose by ${formatValue(proxyRise)} while the held-out judge fell by ` +
          `${formatValue(heldoutFall)}, more than its interval of ±${formatValue(interval)}: the model learns to please ` +
          `the judges that train it.`}
      </p>
      <p>
        In the next run {from > 0 && `end after ${from} ${from === 1 ? "round" : "rounds"}, `}
        raise β or keep the starting model as reference, combine several judges, or let the run end once the
        held-out judge declines.
      </p>
    </div>
  );
}
