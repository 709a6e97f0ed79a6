import type { FeatureDetail, SaeSummary, TokenLogit } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { shownToken } from "./ActivationTokens.tsx";

/** The tokens that a feature’s direction makes likelier, and those it makes less likely. */
export function FeatureLogits({
  sae,
  detail: { positive, negative },
}: {
  readonly sae: SaeSummary;
  readonly detail: FeatureDetail;
}) {
  const largest = [...positive, ...negative].reduce((most, { logit }) => Math.max(most, Math.abs(logit)), 0);
  return (
    <Panel title="What it makes the model say" className="feature-logits">
      {sae.hasDecoder ? (
        <div className="logit-columns">
          <Logits title="+ logits" rows={positive} largest={largest} color="chosen" />
          <Logits title="− logits" rows={negative} largest={largest} color="rejected" />
        </div>
      ) : (
        <p className="note">This autoencoder’s file has no decoder, so its directions are unknown.</p>
      )}
    </Panel>
  );
}

interface LogitsProps {
  readonly title: string;
  readonly rows: readonly TokenLogit[];
  readonly largest: number;
  readonly color: "chosen" | "rejected";
}

function Logits({ title, rows, largest, color }: LogitsProps) {
  return (
    <table className="logit-table">
      <caption>{title}</caption>
      <tbody>
        {rows.map(({ token, logit }) => (
          <tr key={token}>
            <th scope="row">
              <code>{shownToken(token)}</code>
            </th>
            <td className="logit-bar-cell" aria-hidden="true">
              <i
                className="logit-bar"
                style={{
                  width: `${largest > 0 ? (100 * Math.abs(logit)) / largest : 0}%`,
                  background: `var(--${color})`,
                }}
              />
            </td>
            <td>{formatValue(logit)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
