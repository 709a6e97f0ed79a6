import { Button, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { changeReport } from "../../../state/features.ts";
import {
  dropSaved,
  hold,
  loadHeld,
  saveHeld,
  shareOfChange,
  toggleHeld,
  trainHolding,
  useHeldStore,
  whyNotHeld,
  type SavedSet,
} from "../../../state/heldSet.ts";
import { openFeature } from "../../../state/navigation.ts";
import { compareSaes } from "../../../state/saes.ts";
import { saeInUse, saeKey, useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { ChangeReport, SaeSummary } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatChange, formatCount, formatFineShare } from "../../format.ts";
import { useFeatureLabel } from "../../components/useFeatureLabel.ts";

/** The features that FPO holds still. */
export function HeldSetView() {
  const sae = useSaeStore(saeInUse);
  const held = useSetupStore(({ config }) => config.heldFeatures);
  const report = changeReport.useStore(({ answer }) => (answer?.sae === sae?.id ? answer : null));
  const refusal = useSetupStore(({ config }) => whyNotHeld(config));
  if (sae === null) return null;
  if (refusal !== null) return <CompareOne sae={sae} reason={refusal} />;
  return (
    <div className="held-view">
      <Panel
        title={held.length === 1 ? "1 feature held still" : `${formatCount(held.length)} features held still`}
        aside={
          held.length > 0 && (
            <Button size="compact-xs" variant="default" onClick={() => hold([])}>
              Clear
            </Button>
          )
        }
      >
        <p className="note">FPO may move every feature but these. They are features of {sae.label}.</p>
        <OthersAside sae={sae} />
        {held.length === 0 ? <Suggestion report={report} /> : <HeldList held={held} report={report} />}
        <AddFeature width={sae.width} />
        <div className="dialog-actions">
          <Button size="xs" data-testid="train-holding" disabled={held.length === 0} onClick={trainHolding}>
            Train with FPO, holding {held.length === 1 ? "it" : "these"}
          </Button>
        </div>
      </Panel>
      <SavedSets sae={sae} isEmpty={held.length === 0} />
    </div>
  );
}

/** What stands in place of the set while features of several autoencoders are numbered together. */
function CompareOne({ sae, reason }: { readonly sae: SaeSummary; readonly reason: string }) {
  return (
    <div className="panel features-empty" data-testid="compare-one">
      <h2>Hold features of one autoencoder</h2>
      <p>{reason}</p>
      <div className="dialog-actions">
        <Button size="xs" onClick={() => void compareSaes([sae.id])}>
          Compare {sae.label} alone
        </Button>
      </div>
    </div>
  );
}

/** Sets of other autoencoders are told of and not used. */
function OthersAside({ sae }: { readonly sae: SaeSummary }) {
  const aside = useHeldStore((state) => state.aside);
  const others = Object.entries(aside).filter(
    ([key, features]) => key !== saeKey(sae) && features.length > 0,
  );
  return others.map(([key, features]) => (
    <p key={key} className="held-aside" role="status" data-testid="held-aside">
      <Icon name="info" size={14} /> {formatCount(features.length)} held{" "}
      {features.length === 1 ? "feature belongs" : "features belong"} to another autoencoder, {key}. They are
      put aside until it is used again.
    </p>
  ));
}

function HeldList({
  held,
  report,
}: {
  readonly held: readonly number[];
  readonly report: ChangeReport | null;
}) {
  const share = report === null ? null : shareOfChange(report, held);
  const changes = new Map(report?.changes.map((change) => [change.feature, change.after - change.before]));
  return (
    <>
      <p data-testid="held-share">
        {share === null
          ? "How much of the change they carry is known after a run."
          : `They carry ${formatFineShare(share)} of the squared change of all features.`}
      </p>
      <ul className="held-list">
        {held.map((feature) => (
          <HeldRow key={feature} feature={feature} change={changes.get(feature) ?? null} />
        ))}
      </ul>
    </>
  );
}

function HeldRow({ feature, change }: { readonly feature: number; readonly change: number | null }) {
  const label = useFeatureLabel();
  return (
    <li>
      <button type="button" className="link-button" onClick={() => openFeature(feature)}>
        #{feature} {label(feature)}
      </button>
      {change !== null && <span className="note">{formatChange(change)}</span>}
      <Button
        size="compact-xs"
        variant="subtle"
        aria-label={`Let go: feature ${feature}`}
        onClick={() => toggleHeld(feature)}
      >
        Let go
      </Button>
    </li>
  );
}

/** Features of a suggestion. */
const suggested = 8;

/** What to hold when nothing is: the features that changed most. */
function Suggestion({ report }: { readonly report: ChangeReport | null }) {
  const findings = report?.changes.filter(({ isFinding }) => isFinding).slice(0, suggested) ?? [];
  if (findings.length === 0) {
    return <p>None yet. Press “Hold still” at a feature, or add one by its number.</p>;
  }
  return (
    <p>
      None yet.{" "}
      <button
        type="button"
        className="link-button"
        onClick={() => hold(findings.map(({ feature }) => feature))}
      >
        Hold the {findings.length} that the run changed most
      </button>
    </p>
  );
}

function AddFeature({ width }: { readonly width: number }) {
  const [text, setText] = useState<number | string>("");
  const held = useSetupStore(({ config }) => config.heldFeatures);
  const isKnown = typeof text === "number" && text >= 0 && text < width;
  return (
    <form
      className="held-add"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isKnown) return;
        hold([...held, text]);
        setText("");
      }}
    >
      <NumberInput
        size="xs"
        aria-label={`Number of a feature, 0 to ${width - 1}`}
        placeholder={`0 to ${width - 1}`}
        allowDecimal={false}
        allowNegative={false}
        hideControls
        value={text}
        error={text !== "" && !isKnown ? `There are features 0 to ${width - 1}.` : undefined}
        onChange={setText}
      />
      <Button size="xs" variant="default" type="submit" disabled={!isKnown}>
        Add
      </Button>
    </form>
  );
}

function SavedSets({ sae, isEmpty }: { readonly sae: SaeSummary; readonly isEmpty: boolean }) {
  const saved = useHeldStore((state) => state.saved);
  const [name, setName] = useState("");
  return (
    <Panel title="Saved sets">
      <form
        className="held-add"
        onSubmit={(event) => {
          event.preventDefault();
          saveHeld(name);
          setName("");
        }}
      >
        <TextInput
          size="xs"
          aria-label="Name of the set"
          placeholder="Name of the present set"
          maxLength={60}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <Button size="xs" variant="default" type="submit" disabled={isEmpty || name.trim() === ""}>
          Save
        </Button>
      </form>
      {saved.length === 0 && <p className="note">Sets stay in this browser.</p>}
      <ul className="held-list">
        {saved.map((set) => (
          <SavedRow key={`${set.sae} ${set.name}`} set={set} isOwn={set.sae === saeKey(sae)} />
        ))}
      </ul>
    </Panel>
  );
}

function SavedRow({ set, isOwn }: { readonly set: SavedSet; readonly isOwn: boolean }) {
  return (
    <li>
      <span>
        {set.name} <span className="note">{formatCount(set.features.length)} features</span>
      </span>
      {isOwn ? (
        <Button size="compact-xs" variant="default" onClick={() => loadHeld(set)}>
          Use
        </Button>
      ) : (
        <span className="note">belongs to {set.sae}</span>
      )}
      <Button
        size="compact-xs"
        variant="subtle"
        aria-label={`Delete the set ${set.name}`}
        onClick={() => dropSaved(set)}
      >
        Delete
      </Button>
    </li>
  );
}
