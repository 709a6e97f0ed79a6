import { useEffect } from "react";
import { featureDetail } from "../../../state/features.ts";
import { goTo } from "../../../state/navigation.ts";
import { usePlaceStore } from "../../../state/place.ts";
import type { FeatureDetail, SaeSummary } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatCount } from "../../format.ts";
import { FeatureExamples } from "./FeatureExamples.tsx";
import { FeatureHeading } from "./FeatureHeading.tsx";
import { FeatureHistogram } from "./FeatureHistogram.tsx";
import { FeatureLogits } from "./FeatureLogits.tsx";
import { FeatureSides } from "./FeatureSides.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { SteerPanel } from "./SteerPanel.tsx";
import { TestBox } from "./TestBox.tsx";
import { useTable } from "../../components/useFeatureLabel.ts";
import { useFeatureSources } from "./useFeatureSources.ts";

/** Everything there is to see of one feature, always in the same order. */
export function FeatureView() {
  const { sae, policyKey } = useFeatureSources();
  const feature = useShownFeature();
  const { answer, refusal } = featureDetail.useStore();
  useEffect(() => {
    if (sae === null || policyKey === null || feature === null) return;
    featureDetail.ensure(`${policyKey} ${feature}`, { sae: sae.id, feature });
  }, [sae, policyKey, feature]);
  if (sae === null || feature === null) return <Waiting text="Choose a feature from the list." />;
  const detail = answer?.sae === sae.id && answer.feature === feature ? answer : null;
  return (
    <div className="feature-view" aria-busy={detail === null}>
      <Refusal
        title={`Feature ${feature} could not be read.`}
        reason={refusal}
        onRetry={() => void featureDetail.ask({ sae: sae.id, feature })}
      />
      {detail === null ? (
        refusal === null && <Waiting text={`Reading feature ${feature} on the held-out pairs…`} />
      ) : (
        <Sheet sae={sae} detail={detail} />
      )}
    </div>
  );
}

/** The feature of the address; where it names none, it is made to name the strongest there is. */
function useShownFeature(): number | null {
  const wanted = usePlaceStore((place) => place.feature);
  const table = useTable();
  useEffect(() => {
    if (wanted !== null || table === null) return;
    const strongest = table.max.reduce(
      (best, value, index) => (value > (table.max[best] ?? 0) ? index : best),
      0,
    );
    goTo({ feature: strongest });
  }, [wanted, table]);
  return wanted;
}

function Waiting({ text }: { readonly text: string }) {
  return <p className="panel features-waiting">{text}</p>;
}

function Sheet({ sae, detail }: { readonly sae: SaeSummary; readonly detail: FeatureDetail }) {
  const isSilent = detail.before.density === 0 && (detail.after?.density ?? 0) === 0;
  return (
    <>
      <section className="panel" aria-label={`Feature ${detail.feature}`}>
        <FeatureHeading sae={sae} detail={detail} />
      </section>
      {isSilent && (
        <p className="panel features-waiting" data-testid="silent-feature">
          Silent on these {formatCount(detail.positions)} positions.
        </p>
      )}
      <div className="feature-grid">
        {!isSilent && <FeatureHistogram detail={detail} />}
        <FeatureLogits sae={sae} detail={detail} />
        {!isSilent && <FeatureExamples detail={detail} />}
        {!isSilent && <FeatureSides detail={detail} />}
        <TestBox sae={sae} feature={detail.feature} />
        {sae.hasDecoder ? (
          <SteerPanel sae={sae} detail={detail} />
        ) : (
          <Panel title="Steering">
            <p className="note">
              This autoencoder’s file has no decoder, so there is no direction to steer by.
            </p>
          </Panel>
        )}
      </div>
    </>
  );
}
