import { useEffect, useMemo } from "react";
import { featureTable, referenceKey } from "../../../state/features.ts";
import { readNames } from "../../../state/featureNames.ts";
import { featureHistory, misfit, type MovingFeature } from "../../../state/movingFeatures.ts";
import { goTo, openFeature } from "../../../state/navigation.ts";
import { isRunActive, history, useRunStore } from "../../../state/runStore.ts";
import { saeInUse, saeKey, useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useFeatureLabel } from "../../components/useFeatureLabel.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatChange, formatFineShare, formatValue } from "../../format.ts";
import { sparkline } from "./sparkline.ts";
import { useRedraw } from "./useRedraw.ts";
import "./MovingFeatures.css";

/** The features that move most in the present run. */
export function MovingFeaturesPanel() {
  const sae = useSaeStore(saeInUse);
  return (
    <Panel
      title="Features that move"
      className="moving-features"
      aside={
        sae !== null && (
          <button type="button" className="link-button" onClick={() => goTo({ screen: "features" })}>
            {sae.label}
          </button>
        )
      }
    >
      <div data-testid="moving-features">{sae === null ? <NoSae /> : <Moving />}</div>
    </Panel>
  );
}

function NoSae() {
  return (
    <p className="note">
      <button type="button" className="link-button" onClick={() => goTo({ screen: "features" })}>
        Load an autoencoder or use the embedded one
      </button>{" "}
      to see which features a run moves.
    </p>
  );
}

function Moving() {
  const version = useRedraw(7);
  // What is shown is of the last run, and the setup may be of the next.
  const held = useSetupStore(({ config, runningConfig }) => (runningConfig ?? config).heldFeatures);
  const rows = useMemo(() => readMoving(version, held), [version, held]);
  const label = useLabels();
  if (rows.length === 0) return <p className="note">Appears after the first evaluation of a run.</p>;
  const largest = rows.reduce((most, { change }) => Math.max(most, Math.abs(change)), 0);
  return (
    <>
      <Fit version={version} />
      <ul className="moving-rows">
        {rows.map((row) => (
          <MovingRow key={row.feature} row={row} label={label(row.feature)} largest={largest} />
        ))}
      </ul>
    </>
  );
}

/** The moving features as they are at a version of the history. */
function readMoving(_version: number, held: readonly number[]): readonly MovingFeature[] {
  return featureHistory.moving(held);
}

/** Names of features; they are asked for while the trainer has nothing else to do. */
function useLabels(): (feature: number) => RowLabel {
  const sae = useSaeStore(saeInUse);
  const loaded = useSetupStore((state) => state.loaded);
  const isBusy = useRunStore(({ phase }) => phase === "waking" || isRunActive(phase));
  const key = referenceKey(sae, loaded);
  useEffect(() => {
    if (sae === null) return;
    readNames(saeKey(sae));
    if (key !== null && !isBusy) featureTable.ensure(key, { sae: sae.id });
  }, [sae, key, isBusy]);
  const label = useFeatureLabel();
  return (feature) => {
    const place = featureHistory.placeOf(feature) ?? { sae: sae?.id ?? "", feature };
    const isOpen = place.sae === sae?.id;
    const name = isOpen ? label(place.feature) : `of ${place.sae}`;
    return { number: place.feature, name, isOpen };
  };
}

/** How a feature is called, by its number in its own autoencoder. */
interface RowLabel {
  readonly number: number;
  readonly name: string;
  /** Whether its autoencoder is the one that the Features screen shows. */
  readonly isOpen: boolean;
}

/** How well the autoencoder fits the model as it is now. */
function Fit({ version }: { readonly version: number }) {
  const { first, last, factor } = useMemo(() => readFit(version), [version]);
  const l0 = last["eval_features/l0"];
  const unexplained = last["eval_features/unexplained"];
  const from = first["eval_features/unexplained"];
  return (
    <>
      <p className="note">
        {l0 !== undefined && `L0 ${formatValue(first["eval_features/l0"] ?? l0)} → ${formatValue(l0)}`}
        {unexplained !== undefined &&
          ` · unexplained ${formatFineShare(from ?? unexplained)} → ${formatFineShare(unexplained)}`}
      </p>
      {factor !== null && (
        <p className="moving-warning" role="status" data-testid="sae-misfit">
          ⚠ The reconstruction error rose {formatValue(Number(factor.toPrecision(2)))}-fold: the autoencoder
          may no longer fit.
        </p>
      )}
    </>
  );
}

/** The first and the last figures as they are at a version of the history. */
function readFit(_version: number) {
  const { evaluations } = history;
  return {
    first: evaluations[0]?.metrics ?? {},
    last: evaluations.at(-1)?.metrics ?? {},
    factor: misfit(evaluations),
  };
}

interface RowProps {
  readonly row: MovingFeature;
  readonly label: RowLabel;
  readonly largest: number;
}

function MovingRow({ row: { feature, change, values, isHeld }, label, largest }: RowProps) {
  const { number, name, isOpen } = label;
  const share = largest > 0 ? Math.abs(change) / largest : 0;
  return (
    <li>
      <button
        type="button"
        className="moving-row"
        data-testid={`moving-feature-${feature}`}
        disabled={!isOpen}
        title={isOpen ? undefined : "Choose its autoencoder under Features to look at it"}
        onClick={() => openFeature(number)}
      >
        <span className="moving-name">
          #{number} {name}
          {isHeld && <span className="moving-held"> held</span>}
        </span>
        <span className="moving-track" aria-hidden="true">
          <i
            className="moving-bar"
            data-sign={Math.sign(change)}
            style={{ width: `${share * 50}%`, [change < 0 ? "right" : "left"]: "50%" }}
          />
        </span>
        <span className="sparkline" aria-hidden="true">
          {sparkline(values)}
        </span>
        <span className="moving-change">{formatChange(change)}</span>
      </button>
    </li>
  );
}
