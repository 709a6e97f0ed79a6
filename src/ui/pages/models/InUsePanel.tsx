import { Button } from "@mantine/core";
import { useSetupStore } from "../../../state/setupStore.ts";
import { openLayer } from "../../../state/viewStore.ts";
import { Icon } from "../../components/Icon.tsx";
import { LoadingLine } from "../../components/LoadingLine.tsx";
import { WeightReport } from "../../components/WeightReport.tsx";
import { formatBytes, formatCount, formatSetting } from "../../format.ts";

/** The loaded model: its figures, how its weights lie, what stands on it, and the way out. */
export function InUsePanel() {
  const { model, standing } = useSetupStore();
  return (
    <section className="panel in-use" aria-label="Model in use">
      <div className="in-use-heading">
        <h2>{model === null ? "No model is loaded yet" : model.label}</h2>
        {model !== null && (
          <Button
            size="xs"
            leftSection={<Icon name="share" size={14} />}
            data-testid="open-export"
            onClick={() => openLayer("export")}
          >
            Export…
          </Button>
        )}
      </div>
      <LoadingLine />
      {model !== null && (
        <>
          <p className="in-use-facts">
            {model.architecture} · {formatCount(model.parameters)} parameters · {model.layers} layers ×{" "}
            {model.hiddenSize} · {formatBytes(model.sizeBytes)} on the device
          </p>
          <WeightReport />
        </>
      )}
      {standing !== null && standing.adapters.length > 0 && (
        <p className="in-use-facts" data-testid="in-use-adapters">
          On it:{" "}
          {standing.adapters.map(({ label, scale }) => `${label} × ${formatSetting(scale)}`).join(", ")} (rank{" "}
          {standing.rank} together)
        </p>
      )}
    </section>
  );
}
