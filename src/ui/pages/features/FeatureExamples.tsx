import { SegmentedControl } from "@mantine/core";
import { useFeatureViewStore } from "../../../state/featureViewStore.ts";
import type { ActivationExample, ActivationInterval, FeatureDetail } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatFineShare, formatValue } from "../../format.ts";
import { ActivationTokens } from "./ActivationTokens.tsx";

/** Tokens on either side of the peak in the short form. */
const contextTokens = 8;

/** Texts in which a feature is active, by how strongly. */
export function FeatureExamples({ detail }: { readonly detail: FeatureDetail }) {
  const intervals = detail.intervals.filter(({ examples }) => examples.length > 0);
  const isWhole = useFeatureViewStore((state) => state.isWholeText);
  const strongest = intervals.reduce((most, { to }) => Math.max(most, to), 0);
  return (
    <Panel
      title="Where it is active"
      className="feature-examples"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Length of the texts"
          data={[
            { value: "short", label: "Short" },
            { value: "whole", label: "Whole" },
          ]}
          value={isWhole ? "whole" : "short"}
          onChange={(length) => useFeatureViewStore.setState({ isWholeText: length === "whole" })}
        />
      }
    >
      {intervals.map((interval) => (
        <Interval key={interval.from} interval={interval} strongest={strongest} isWhole={isWhole} />
      ))}
    </Panel>
  );
}

interface IntervalProps {
  readonly interval: ActivationInterval;
  readonly strongest: number;
  readonly isWhole: boolean;
}

function Interval({ interval: { from, to, share, examples }, strongest, isWhole }: IntervalProps) {
  return (
    <section className="feature-interval">
      <h3>
        {formatValue(from)} to {formatValue(to)}
        <span className="note">{formatFineShare(share)} of active positions</span>
      </h3>
      <ul>
        {examples.map((example, index) => (
          <li key={`${index} ${example.tokens.join("")}`}>
            <Example example={example} strongest={strongest} isWhole={isWhole} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ExampleProps {
  readonly example: ActivationExample;
  readonly strongest: number;
  readonly isWhole: boolean;
}

function Example({ example, strongest, isWhole }: ExampleProps) {
  const { tokens, activations, after, peak, side } = example;
  const first = isWhole ? 0 : Math.max(peak - contextTokens, 0);
  const end = isWhole ? tokens.length : Math.min(peak + contextTokens + 1, tokens.length);
  const now = after?.[peak];
  return (
    <>
      <span className={`side-tag side-${side}`}>{side}</span>
      {first > 0 && "…"}
      <ActivationTokens
        tokens={tokens.slice(first, end)}
        activations={activations.slice(first, end)}
        strongest={strongest}
        peak={peak - first}
      />
      {end < tokens.length && "…"}
      <span className="example-value">
        {formatValue(activations[peak] ?? 0)}
        {now !== undefined && ` → ${formatValue(now)}`}
      </span>
    </>
  );
}
