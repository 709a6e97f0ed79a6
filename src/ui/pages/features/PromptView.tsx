import { Button, NativeSelect, SegmentedControl, Textarea } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { promptFeatures, useMarkStore } from "../../../state/features.ts";
import { nameOf } from "../../../state/featureNames.ts";
import { useFeatureViewStore } from "../../../state/featureViewStore.ts";
import { openFeature } from "../../../state/navigation.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { LookedAt, PromptFeatures, SaeSummary } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatFineShare, formatValue } from "../../format.ts";
import { ActivationTokens } from "./ActivationTokens.tsx";
import { activationsOf, promptList, readableTokens, type PromptFeature } from "./promptFigures.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { useFeatureNames, useTable } from "../../components/useFeatureLabel.ts";
import { useFeatureSources } from "./useFeatureSources.ts";

/** A text token by token, and the features that are active in it. */
export function PromptView() {
  const { sae, policyKey, isTuned } = useFeatureSources();
  const { promptText, lookedAt } = useFeatureViewStore();
  const chips = useSetupStore((state) => state.data?.promptChips) ?? [];
  const { answer, refusal, isAsking } = promptFeatures.useStore();
  const text = promptText ?? chips[0] ?? "";
  const policy: LookedAt = isTuned ? lookedAt : "reference";
  const ask = (wanted: string) => {
    if (sae !== null) void promptFeatures.ask({ sae: sae.id, text: wanted, policy });
  };
  useEffect(() => {
    // What is typed is asked by its button; another autoencoder, model or run ask by themselves.
    const present = presentText();
    if (sae === null || policyKey === null || present.trim() === "") return;
    promptFeatures.ensure(`${policyKey} ${policy}`, { sae: sae.id, text: present, policy });
  }, [sae, policyKey, policy]);
  if (sae === null) return null;
  return (
    <div className="prompt-view">
      <Panel title="Prompt" aside={<LookedAtSwitch policy={policy} isTuned={isTuned} />}>
        <PromptForm text={text} chips={chips} isAsking={isAsking} onAsk={ask} />
        <Refusal title="The text could not be read." reason={refusal} onRetry={() => ask(text)} />
      </Panel>
      {answer?.sae === sae.id && <Answer sae={sae} answer={answer} />}
      {answer === null && isAsking && <p className="panel features-waiting">Reading the text…</p>}
    </div>
  );
}

/** What stands in the box now. */
function presentText(): string {
  const [example = ""] = useSetupStore.getState().data?.promptChips ?? [];
  return useFeatureViewStore.getState().promptText ?? example;
}

function LookedAtSwitch({ policy, isTuned }: { readonly policy: LookedAt; readonly isTuned: boolean }) {
  return (
    <>
      {!isTuned && <span className="note">Tuned: train first.</span>}
      <SegmentedControl
        size="xs"
        aria-label="Model that reads the text"
        data={[
          { value: "reference", label: "Base" },
          { value: "policy", label: "Tuned", disabled: !isTuned },
        ]}
        value={policy}
        onChange={(chosen) => useFeatureViewStore.setState({ lookedAt: chosen })}
      />
    </>
  );
}

interface FormProps {
  readonly text: string;
  readonly chips: readonly string[];
  readonly isAsking: boolean;
  readonly onAsk: (text: string) => void;
}

function PromptForm({ text, chips, isAsking, onAsk }: FormProps) {
  const change = (promptText: string) => useFeatureViewStore.setState({ promptText });
  return (
    <>
      <form
        className="ask-line"
        onSubmit={(event) => {
          event.preventDefault();
          onAsk(text);
        }}
      >
        <Textarea
          size="xs"
          aria-label="Text to read"
          rows={2}
          resize="vertical"
          value={text}
          data-testid="prompt-text"
          onChange={({ currentTarget }) => change(currentTarget.value)}
        />
        <Button size="xs" type="submit" loading={isAsking} disabled={text.trim() === ""}>
          Read
        </Button>
      </form>
      <div className="chips" role="group" aria-label="Prompts">
        {chips.map((chip) => (
          <button
            key={chip}
            type="button"
            className="chip chip-button"
            aria-pressed={chip === text}
            onClick={() => {
              change(chip);
              onAsk(chip);
            }}
          >
            <span className="chip-text">{chip}</span>
          </button>
        ))}
      </div>
    </>
  );
}

function Answer({ sae, answer }: { readonly sae: SaeSummary; readonly answer: PromptFeatures }) {
  const { locked, promptOrder, densest } = useFeatureViewStore();
  const [hovered, setHovered] = useState<number | null>(null);
  const [token, setToken] = useState<number | null>(null);
  const table = useTable();
  const rows = useMemo(
    () => promptList(answer, table, { order: promptOrder, densest }),
    [answer, table, promptOrder, densest],
  );
  const shown = hovered ?? locked ?? rows[0]?.feature ?? null;
  const activations = shown === null ? [] : activationsOf(answer, shown);
  const strongest = activations.reduce((most, value) => Math.max(most, value), 0);
  const mark = (index: number) => {
    setToken(index);
    if (shown === null) return;
    const activation = activations[index] ?? 0;
    useMarkStore.setState({ mark: { feature: shown, token: answer.tokens[index] ?? "", activation } });
  };
  return (
    <>
      <Panel title={shown === null ? "Tokens" : `Tokens by feature #${shown}`}>
        <p className="prompt-tokens">
          <ActivationTokens
            tokens={readableTokens(answer)}
            activations={activations}
            strongest={strongest}
            onToken={mark}
            pressed={token}
          />
        </p>
        <TokenSentence answer={answer} token={token} />
      </Panel>
      <Panel
        title={`Active features: ${rows.length}`}
        aside={<ListControls hidden={answer.features.length - rows.length} />}
      >
        <ul className="prompt-rows">
          {rows.map((row) => (
            <PromptRow key={row.feature} row={row} isLocked={row.feature === locked} onHover={setHovered} />
          ))}
        </ul>
        {rows.length === 0 && (
          <p className="note">
            No feature of {sae.label} that is rarer than the limit is active in this text.
          </p>
        )}
      </Panel>
    </>
  );
}

/** What is known of a token besides its features. */
function TokenSentence({
  answer,
  token,
}: {
  readonly answer: PromptFeatures;
  readonly token: number | null;
}) {
  if (token === null) return <p className="note">Press a token to see how well it is explained.</p>;
  const unexplained = answer.unexplained?.[token];
  const parts = answer.isStart[token]
    ? ["The start of text: the autoencoder was not trained on it."]
    : [
        `${formatValue(answer.l0[token] ?? 0)} features are active here.`,
        ...(unexplained === undefined ? [] : [`${formatFineShare(unexplained)} is unexplained.`]),
      ];
  return (
    <p className="note" role="status">
      {parts.join(" ")}
    </p>
  );
}

function ListControls({ hidden }: { readonly hidden: number }) {
  const { promptOrder, densest } = useFeatureViewStore();
  return (
    <>
      <NativeSelect
        size="xs"
        aria-label="Order"
        value={promptOrder}
        data={[
          { value: "strength", label: "Strongest first" },
          { value: "frequency", label: "Most tokens first" },
        ]}
        onChange={({ currentTarget }) =>
          useFeatureViewStore.setState({ promptOrder: currentTarget.value as typeof promptOrder })
        }
      />
      <NativeSelect
        size="xs"
        aria-label="Hide dense features"
        value={String(densest)}
        data={[
          { value: "1", label: "Dense ones too" },
          { value: "0.3", label: "Hide above 30 %" },
          { value: "0.1", label: "Hide above 10 %" },
          { value: "0.03", label: "Hide above 3 %" },
        ]}
        onChange={({ currentTarget }) =>
          useFeatureViewStore.setState({ densest: Number(currentTarget.value) })
        }
      />
      {hidden > 0 && <span className="note">{hidden} hidden</span>}
    </>
  );
}

interface RowProps {
  readonly row: PromptFeature;
  readonly isLocked: boolean;
  readonly onHover: (feature: number | null) => void;
}

function PromptRow({ row: { feature, name, strongest, count, density }, isLocked, onHover }: RowProps) {
  const names = useFeatureNames();
  return (
    <li>
      <button
        type="button"
        className="feature-row"
        aria-pressed={isLocked}
        title={isLocked ? "Let it go" : "Keep it on the tokens"}
        data-testid={`prompt-feature-${feature}`}
        onMouseEnter={() => onHover(feature)}
        onMouseLeave={() => onHover(null)}
        onFocus={() => onHover(feature)}
        onBlur={() => onHover(null)}
        onClick={() => useFeatureViewStore.setState({ locked: isLocked ? null : feature })}
      >
        <span className="feature-number">#{feature}</span>
        <span className="feature-row-name">{nameOf(names, feature, name)}</span>
        {isLocked && <span className="tag">locked</span>}
        <span className="feature-figure">
          {formatValue(strongest)} · {count} {count === 1 ? "token" : "tokens"}
          {density !== null && ` · ${formatFineShare(density)}`}
        </span>
      </button>
      <button
        type="button"
        className="link-button"
        aria-label={`Open feature ${feature}`}
        onClick={() => openFeature(feature)}
      >
        Open
      </button>
    </li>
  );
}
