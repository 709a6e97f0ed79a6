import { useEffect, useMemo, useState } from "react";
import { showSurface, useLossLabStore, watchSurface, type ShownSurface } from "../../../../state/lossLab.ts";
import { useRunStore } from "../../../../state/runStore.ts";
import { useSetupStore } from "../../../../state/setupStore.ts";
import { TableToggle } from "../../../components/TableToggle.tsx";
import { mixLabel } from "../../../components/mixLabel.ts";
import { Panel } from "../../../components/Panel.tsx";
import { formatValue } from "../../../format.ts";
import { heldTexts } from "../../../text.ts";
import { farthestOf, meansOf, pairsByMargin, rangeFor, type PairPoint } from "../PairMapGeometry.ts";
import { useRedraw } from "../useRedraw.ts";
import { LossLabMap } from "./LossLabMap.tsx";
import { LossLabTable } from "./LossLabTable.tsx";
import { lossRange, surfaceSentence, type LabPlace } from "./lossLabGeometry.ts";
import "../../../charts/charts.css";
import "../PairMap.css";
import "./LossLab.css";

/** Nats in each direction while the pairs are nearer than that: a surface so small would look like a plane. */
const leastRange = 4;

/** The loss of the present setup over both differences to the reference, with the pairs on it. */
export function LossLabPanel() {
  const version = useRedraw(0);
  const pairs = useMemo(() => readPairs(version), [version]);
  const range = useSteadyRange(pairs);
  const { surface, isAsking } = useLossLabStore();
  const { config, description } = useSetupStore();
  const mix = mixLabel(config, description);
  useEffect(() => watchSurface(range), [range]);
  const [isTable, setIsTable] = useState(false);
  const mean = useMemo(() => meanOf(pairs), [pairs]);
  return (
    <Panel
      title="Loss lab"
      className="loss-lab"
      aside={
        <>
          <span className="pairmap-from" title={mix}>
            {mix}
          </span>
          <TableToggle
            label={`Loss lab as a ${isTable ? "map" : "table"}`}
            isTable={isTable}
            onChange={setIsTable}
            isDisabled={surface === null}
          />
        </>
      }
    >
      <div aria-busy={isAsking} data-testid="loss-lab">
        <Refusal range={range} />
        {surface === null ? (
          <Waiting />
        ) : (
          <>
            {isTable ? <LossLabTable surface={surface} /> : <LossLabMap {...{ surface, pairs, mean }} />}
            <p className="loss-lab-sentence">{surfaceSentence(surface, mean)}</p>
            <Legend surface={surface} pairs={pairs.length} />
            <p className="note">{heldSentence(surface)}</p>
          </>
        )}
      </div>
    </Panel>
  );
}

/** The pairs as they are at a version of the history; none before the first evaluation. */
function readPairs(_version: number): readonly PairPoint[] {
  const { points } = useRunStore.getState();
  return points === null ? [] : pairsByMargin(points);
}

function meanOf(pairs: readonly PairPoint[]): LabPlace {
  const { chosenDelta, rejectedDelta } = meansOf(pairs);
  return { x: chosenDelta, y: rejectedDelta };
}

function useSteadyRange(pairs: readonly PairPoint[]): number {
  const farthest = useMemo(() => farthestOf(pairs), [pairs]);
  const [shown, setShown] = useState(leastRange);
  const range = Math.max(rangeFor(farthest, shown), leastRange);
  if (range !== shown) setShown(range);
  return range;
}

/** Why there is no newer surface, and the way to ask again. */
function Refusal({ range }: { readonly range: number }) {
  const refusal = useLossLabStore((state) => state.refusal);
  if (refusal === null) return null;
  return (
    <div className="loss-lab-refusal" role="alert">
      <p>The surface could not be computed: {refusal}</p>
      <button
        type="button"
        className="link-button"
        onClick={() => {
          showSurface(useSetupStore.getState().config, range);
        }}
      >
        Try again
      </button>
    </div>
  );
}

function Waiting() {
  const { refusal, isAsking } = useLossLabStore();
  if (refusal !== null) return null;
  return (
    <p className="loss-lab-empty">
      {isAsking ? "Computing the loss surface…" : "The loss surface appears when the trainer is awake."}
    </p>
  );
}

/** Whose loss is shown, and what stays as it is all over the surface. */
function heldSentence({ pair, held }: ShownSurface): string {
  const { chosenTokens, rejectedTokens, chosenReference, rejectedReference, isMeasured } = pair;
  const parts = held.map((need) => heldTexts[need]);
  const still = parts.length === 0 ? "" : ` Held: ${parts.join(", ")}.`;
  const source = isMeasured ? "medians of the held-out pairs" : "assumed until the reference was read";
  return (
    `Arrows point downhill for a pair of ${formatValue(chosenTokens)} and ${formatValue(rejectedTokens)} tokens ` +
    `at ${formatValue(chosenReference)} and ${formatValue(rejectedReference)} nats, ${source}.${still}`
  );
}

interface LegendProps {
  readonly surface: ShownSurface;
  readonly pairs: number;
}

function Legend({ surface, pairs }: LegendProps) {
  const range = lossRange(surface.losses);
  return (
    <div className="pairmap-legend">
      {range !== null && (
        <span className="loss-lab-scale">
          loss <b>{formatValue(range[0])}</b> <i className="loss-lab-key" /> <b>{formatValue(range[1])}</b>
        </span>
      )}
      {pairs > 0 && (
        <span>
          <i className="pairmap-key-mean" /> mean of {pairs} pairs
        </span>
      )}
    </div>
  );
}
