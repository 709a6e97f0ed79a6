import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { nameFeature, nameOf } from "../../../state/featureNames.ts";
import { changeReport } from "../../../state/features.ts";
import { isHeldStill, toggleHeld, whyNotHeld } from "../../../state/heldSet.ts";
import { formatLink } from "../../../state/link.ts";
import { goTo } from "../../../state/navigation.ts";
import { addressOf, usePlaceStore, withTab } from "../../../state/place.ts";
import { linkedConfig, saeKey, useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { FeatureDetail, SaeSummary } from "../../../worker/protocol.ts";
import { CopyButton } from "../../components/CopyButton.tsx";
import { Icon } from "../../components/Icon.tsx";
import { formatChange, formatFineShare } from "../../format.ts";
import { useFeatureNames } from "../../components/useFeatureLabel.ts";

/** What a feature is called and how often it is active, and what can be done with it. */
export function FeatureHeading({
  sae,
  detail,
}: {
  readonly sae: SaeSummary;
  readonly detail: FeatureDetail;
}) {
  const { feature, before } = detail;
  const refusal = useSetupStore(({ config }) => whyNotHeld(config));
  const change = changeReport.useStore(({ answer }) =>
    answer?.sae === sae.id ? answer.changes.find((other) => other.feature === feature) : undefined,
  );
  return (
    <header className="feature-heading">
      <FeatureName key={feature} sae={sae} detail={detail} />
      <dl className="feature-facts">
        <div>
          <dt>density</dt>
          <dd>{formatFineShare(before.density)}</dd>
        </div>
        {change !== undefined && (
          <div>
            <dt>change Δ</dt>
            <dd>{formatChange(change.after - change.before)}</dd>
          </div>
        )}
      </dl>
      <div className="feature-actions">
        <Neighbour feature={feature - 1} width={sae.width} label="Previous feature" />
        <Neighbour feature={feature + 1} width={sae.width} label="Next feature" />
        <HoldButton feature={feature} />
        <LinkButton feature={feature} />
      </div>
      {refusal !== null && <p className="note">{refusal}</p>}
    </header>
  );
}

/** Copies the address of this feature, with the setup. */
function LinkButton({ feature }: { readonly feature: number }) {
  const { config, presetId, description } = useSetupStore();
  const saes = useSaeStore();
  const tabs = usePlaceStore((place) => place.tabs);
  if (description === null) return null;
  const link = formatLink(linkedConfig(config, saes), presetId, description);
  const address = addressOf(
    { screen: "features", tabs: withTab(tabs, "features", "feature"), feature },
    link,
  );
  return <CopyButton text={`${location.origin}${location.pathname}${address}`} label="Link" />;
}

function FeatureName({ sae, detail }: { readonly sae: SaeSummary; readonly detail: FeatureDetail }) {
  const names = useFeatureNames();
  const { feature } = detail;
  const [text, setText] = useState(nameOf(names, feature, detail.name));
  const keep = () => {
    const isSuggested = text.trim() === detail.name;
    nameFeature(saeKey(sae), feature, isSuggested ? "" : text);
    if (text.trim() === "") setText(detail.name);
  };
  return (
    <div className="feature-title">
      <h2>#{feature}</h2>
      <TextInput
        size="sm"
        aria-label={`Name of feature ${feature}`}
        data-testid="feature-name"
        placeholder="Give it a name"
        value={text}
        maxLength={60}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onBlur={keep}
        onKeyDown={({ key, currentTarget }) => {
          if (key === "Enter") currentTarget.blur();
        }}
      />
      <p className="note">{originOf(names[feature], detail.name)}</p>
    </div>
  );
}

/** Where a name comes from. */
function originOf(own: string | undefined, suggested: string): string {
  if (own !== undefined) return "your name";
  return suggested === "" ? "no name yet" : "named by its likeliest tokens";
}

function Neighbour({
  feature,
  width,
  label,
}: {
  readonly feature: number;
  readonly width: number;
  readonly label: string;
}) {
  const isBack = label.startsWith("Previous");
  return (
    <ActionIcon
      variant="default"
      size={30}
      aria-label={`${label}, ${feature}`}
      disabled={feature < 0 || feature >= width}
      onClick={() => goTo({ feature })}
    >
      <span className={isBack ? "turn-back" : "turn-on"}>
        <Icon name="chevron" size={15} />
      </span>
    </ActionIcon>
  );
}

/** Holds a feature still in FPO, or lets it go. */
export function HoldButton({
  feature,
  isShort = false,
}: {
  readonly feature: number;
  readonly isShort?: boolean;
}) {
  const isHeld = useSetupStore(({ config }) => isHeldStill(config, feature));
  const refusal = useSetupStore(({ config }) => whyNotHeld(config));
  const text = isHeld ? "Held still" : isShort ? "Hold still" : "Hold still (FPO)";
  return (
    <Button
      size={isShort ? "compact-xs" : "xs"}
      variant={isHeld ? "filled" : "default"}
      aria-pressed={isHeld}
      disabled={refusal !== null}
      title={refusal ?? undefined}
      aria-label={`${text}: feature ${feature}`}
      data-testid={isShort ? `hold-still-${feature}` : "hold-still"}
      onClick={() => toggleHeld(feature)}
    >
      {text}
    </Button>
  );
}
