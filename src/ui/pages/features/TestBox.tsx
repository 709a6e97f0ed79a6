import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { testedText, useMarkStore } from "../../../state/features.ts";
import type { PromptFeatures, SaeSummary } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { ActivationTokens } from "./ActivationTokens.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { activationsOf, readableTokens, unlistedSentence } from "./promptFigures.ts";

/** A text of one’s own, to see where a feature is active in it. */
export function TestBox({ sae, feature }: { readonly sae: SaeSummary; readonly feature: number }) {
  const [text, setText] = useState("");
  const { answer, refusal, isAsking } = testedText.useStore();
  const shown = answer?.sae === sae.id ? answer : null;
  return (
    <Panel title="Test it">
      <form
        className="ask-line"
        onSubmit={(event) => {
          event.preventDefault();
          void testedText.ask({ sae: sae.id, text, policy: "reference" });
        }}
      >
        <Textarea
          size="xs"
          aria-label="Text to test"
          placeholder="Write something that should set it off"
          rows={2}
          resize="vertical"
          value={text}
          data-testid="test-text"
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <Button size="xs" variant="default" type="submit" disabled={text.trim() === ""} loading={isAsking}>
          Test
        </Button>
      </form>
      <Refusal title="The text could not be read." reason={refusal} />
      {shown !== null && <Tested answer={shown} feature={feature} />}
    </Panel>
  );
}

function Tested({ answer, feature }: { readonly answer: PromptFeatures; readonly feature: number }) {
  const activations = activationsOf(answer, feature);
  const strongest = activations.reduce((most, value) => Math.max(most, value), 0);
  return (
    <>
      <p className="test-tokens">
        <ActivationTokens
          tokens={readableTokens(answer)}
          activations={activations}
          strongest={strongest}
          onToken={(index) => {
            const token = answer.tokens[index] ?? "";
            useMarkStore.setState({ mark: { feature, token, activation: activations[index] ?? 0 } });
          }}
        />
      </p>
      <p className="note" role="status">
        {strongest > 0
          ? `At most ${formatValue(strongest)}. Press a token to mark it in the histogram.`
          : unlistedSentence(answer)}
      </p>
    </>
  );
}
