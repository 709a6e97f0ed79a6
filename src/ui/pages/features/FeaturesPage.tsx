import { useEffect, type ReactNode } from "react";
import { changeReport, featureTable } from "../../../state/features.ts";
import { readNames } from "../../../state/featureNames.ts";
import { usePlaceStore, type FeatureTab } from "../../../state/place.ts";
import { saeKey } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { MessageAlerts } from "../../components/MessageAlerts.tsx";
import { ScreenTabs } from "../../components/ScreenTabs.tsx";
import { useViewport } from "../../components/useViewport.ts";
import { ChangeReportView } from "./ChangeReportView.tsx";
import { FeatureList } from "./FeatureList.tsx";
import { FeatureView } from "./FeatureView.tsx";
import { HeldSetView } from "./HeldSetView.tsx";
import { PromptView } from "./PromptView.tsx";
import { NoSae, SaeBar } from "./SaeBar.tsx";
import { TrainSaeView } from "./TrainSaeView.tsx";
import { useFeatureSources } from "./useFeatureSources.ts";
import "../../charts/charts.css";
import "./features.css";

const tabNames: Record<FeatureTab, string> = {
  prompt: "Prompt view",
  feature: "Feature view",
  changes: "Change report",
  held: "Held set",
  "train-sae": "Train an SAE",
};

/** The Features screen: what a sparse autoencoder sees in the model, before and after a run. */
export function FeaturesPage() {
  const tab = usePlaceStore((place) => place.tabs.features);
  const { sae, referenceKey, policyKey, isTuned, isMoving } = useFeatureSources();
  useEffect(() => {
    if (sae === null) return;
    readNames(saeKey(sae));
    if (referenceKey !== null) featureTable.ensure(referenceKey, { sae: sae.id });
  }, [sae, referenceKey]);
  useEffect(() => {
    // A run that goes on needs the device itself.
    if (sae !== null && policyKey !== null && isTuned && !isMoving) {
      changeReport.ensure(policyKey, { sae: sae.id });
    }
  }, [sae, policyKey, isTuned, isMoving]);
  return (
    <main className="features" id="live" tabIndex={-1} aria-label="Features">
      <MessageAlerts />
      <SaeBar />
      <Tabs tab={tab} />
      <div role="tabpanel" id="features-panel" aria-labelledby={`features-tab-${tab}`}>
        {sae === null && tab !== "train-sae" ? <Missing /> : views[tab]()}
      </div>
    </main>
  );
}

const views: Record<FeatureTab, () => ReactNode> = {
  prompt: () => <PromptView />,
  feature: () => <FeatureTabView />,
  changes: () => <ChangeReportView />,
  held: () => <HeldSetView />,
  "train-sae": () => <TrainSaeView />,
};

/** Without an autoencoder: the model may still be on its way. */
function Missing() {
  const model = useSetupStore((state) => state.model);
  if (model === null) return <p className="panel features-waiting">Waking the trainer…</p>;
  return <NoSae />;
}

/** The list beside the feature; on a narrow screen it opens above it. */
function FeatureTabView() {
  const viewport = useViewport();
  const isBeside = viewport === "wide" || viewport === "medium";
  return (
    <div className="feature-tab">
      {isBeside ? (
        <FeatureList />
      ) : (
        <details className="panel feature-list-fold">
          <summary>Find a feature</summary>
          <FeatureList />
        </details>
      )}
      <FeatureView />
    </div>
  );
}

function Tabs({ tab }: { readonly tab: FeatureTab }) {
  const held = useSetupStore(({ config }) => config.heldFeatures.length);
  const names = held > 0 ? { ...tabNames, held: `${tabNames.held} (${held})` } : tabNames;
  return <ScreenTabs screen="features" label="Features" tab={tab} names={names} />;
}
