import { Button } from "@mantine/core";
import { useSetupStore } from "../../state/setupStore.ts";
import { weightsPerplexity } from "../../state/weights.ts";
import type { LayerRounding, WeightReport as Report } from "../../worker/protocol.ts";
import { formatBytes, formatFineShare, formatValue } from "../format.ts";
import { Refusal } from "./Refusal.tsx";
import "./weightReport.css";

const layoutNames: Readonly<Record<string, string>> = {
  f32: "32 bits",
  f16: "16 bits",
  bf16: "16 bits (BF16)",
  q8: "8 bits",
  q4m: "4 bits",
  q4s: "4 bits",
};

/** How the loaded model's matrices lie on the device, what rounding did to them, and what that costs. */
export function WeightReport() {
  const weights = useSetupStore((state) => state.model?.weights ?? null);
  if (weights === null) return null;
  return (
    <div className="weight-report" data-testid="weight-report">
      <Layouts report={weights} />
      {weights.rounding.length === 0 ? (
        <p className="note">Nothing was rounded: the weights are those of the file.</p>
      ) : (
        <>
          <Rounding layers={weights.rounding} />
          <Measure />
        </>
      )}
    </div>
  );
}

function Layouts({ report: { bytesByLayout } }: { readonly report: Report }) {
  const rows = Object.entries(bytesByLayout).toSorted(([, a], [, b]) => b - a);
  return (
    <dl className="weight-layouts">
      {rows.map(([layout, bytes]) => (
        <div key={layout}>
          <dt>{layoutNames[layout] ?? layout}</dt>
          <dd>{formatBytes(bytes)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One bar a layer; the figure is beside it, so that nothing rests on its length. */
function Rounding({ layers }: { readonly layers: readonly LayerRounding[] }) {
  const errors = layers.map(({ relativeRms }) => relativeRms);
  const largest = Math.max(...errors);
  const range = [Math.min(...errors), largest].map(formatFineShare);
  return (
    <details className="weight-rounding">
      <summary>
        Rounding error a layer: {range[0] === range[1] ? range[0] : `${range[0]} to ${range[1]}`}
      </summary>
      <p className="note">Root mean square of the error over that of the weights.</p>
      <ul>
        {layers.map(({ layer, relativeRms }) => (
          <li key={layer}>
            <span>{layer < 0 ? "embedding, head" : `layer ${layer}`}</span>
            <span className="weight-bar" aria-hidden="true">
              <span style={{ width: `${largest > 0 ? (100 * relativeRms) / largest : 0}%` }} />
            </span>
            <span>{formatFineShare(relativeRms)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Measure() {
  const { answer, refusal, isAsking } = weightsPerplexity.useStore();
  // What is measured while a model or pairs are being loaded belongs to neither, and is dropped.
  const isLoading = useSetupStore(({ loading }) => loading !== null);
  const change = answer === null ? 0 : answer.loaded / answer.kept - 1;
  return (
    <>
      <div className="weight-measure">
        <Button
          size="compact-xs"
          variant="default"
          loading={isAsking}
          disabled={isLoading}
          onClick={() => void weightsPerplexity.ask(null)}
        >
          Measure what it costs
        </Button>
        <p role="status" data-testid="perplexity">
          {answer !== null &&
            `Perplexity of the held-out chosen answers: ${formatValue(answer.loaded)} against ${formatValue(answer.kept)} with the file’s weights (${signedShare(change)}).`}
        </p>
      </div>
      <Refusal title="It was not measured." reason={refusal} />
    </>
  );
}

function signedShare(share: number): string {
  const text = formatFineShare(Math.abs(share));
  return share < 0 ? `−${text}` : `+${text}`;
}
