import { NativeSelect } from "@mantine/core";
import { edit } from "../../../../state/editing.ts";
import { localId } from "../../../../state/link.ts";
import { goTo } from "../../../../state/navigation.ts";
import { useSetupStore } from "../../../../state/setupStore.ts";
import { useShelfStore } from "../../../../state/shelfStore.ts";
import { adaptersText } from "../../../components/fieldLabel.ts";
import { LoadingLine } from "../../../components/LoadingLine.tsx";
import { WeightReport } from "../../../components/WeightReport.tsx";
import { formatBytes, formatCount } from "../../../format.ts";
import { weightTexts } from "../../../text.ts";
import { ChoiceField } from "./FieldSettings.tsx";
import { OpenButton } from "./SourceCards.tsx";

/** The model that is trained, how its weights lie, what stands on it, and the doors to another. */
export function ModelChoice() {
  const { config, description, model } = useSetupStore();
  const choices = (description?.models ?? []).map(({ id, label }) => ({ value: id, label }));
  if (config.model === localId) choices.push({ value: localId, label: model?.label ?? "From your disk" });
  return (
    <>
      <div className="source-line">
        <NativeSelect
          size="xs"
          aria-label="Model"
          data-field="model"
          value={config.model}
          data={choices}
          onChange={({ currentTarget }) => {
            edit({ model: currentTarget.value });
          }}
        />
        <OpenButton part="model" label="Open model files" />
      </div>
      <Summary />
      <p className="note">
        <button type="button" className="link-button" onClick={() => goTo({ screen: "models" })}>
          More models
        </button>
      </p>
      <ChoiceField field="baseWeights" />
      {config.baseWeights !== "keep" && <p className="note">{weightTexts[config.baseWeights]}</p>}
      <Rounded />
      <Standing />
    </>
  );
}

function Summary() {
  const { model, loading } = useSetupStore();
  if (loading === "model" && model !== null) return <LoadingLine />;
  return (
    <p className="note" data-testid="model-summary">
      {model === null
        ? "Loading…"
        : `${formatCount(model.parameters)} parameters · ${model.layers} layers × ${model.hiddenSize} · ${formatBytes(model.sizeBytes)}`}
    </p>
  );
}

/** What rounding did, where anything was rounded. */
function Rounded() {
  const isRounded = useSetupStore((state) => (state.model?.weights.rounding.length ?? 0) > 0);
  return isRounded ? <WeightReport /> : null;
}

/** The adapters that a run goes on from. */
function Standing() {
  const adapters = useSetupStore((state) => state.config.adapters);
  // Their names come from the shelf, which is listed later.
  useShelfStore((state) => state.shelf);
  if (adapters.length === 0) return null;
  return (
    <p className="note" data-testid="standing-adapters">
      On it: {adaptersText(adapters)}. A run goes on from there.{" "}
      <button type="button" className="link-button" onClick={() => goTo({ screen: "models" })}>
        Change
      </button>
    </p>
  );
}
