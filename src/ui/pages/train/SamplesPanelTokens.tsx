import { useId, useState } from "react";
import type { Sample } from "../../../worker/protocol.ts";
import { deltaInWords, tokenTint } from "./SamplesPanelTint.ts";

/** What an answer is drawn from. */
export interface SampleTokensProps {
  readonly sample: Sample;
  /** Name of the answer for screen readers, such as "Now". */
  readonly label: string;
}

/** An answer token by token: tinted by the change of its log-prob, with the number of the one in focus. */
export function SampleTokens({ sample, label }: SampleTokensProps) {
  const { tokens, tokenDeltas } = sample;
  // An answer follows its prompt after a space, which is no part of what is read here.
  const text = sample.text.trimStart();
  const [focused, setFocused] = useState<number | null>(null);
  const hintId = useId();
  if (tokens.length === 0) return <p className="samples-text">{text === "" ? <Nothing /> : text}</p>;
  const last = tokens.length - 1;
  const walk = (key: string): boolean => {
    const targets: Record<string, number | null> = {
      ArrowLeft: Math.max((focused ?? 1) - 1, 0),
      ArrowRight: Math.min((focused ?? -1) + 1, last),
      Home: 0,
      End: last,
      ...(focused === null ? {} : { Escape: null }),
    };
    const target = targets[key];
    if (target === undefined) return false;
    setFocused(target);
    return true;
  };
  const shown = focused ?? 0;
  return (
    <div
      className="samples-text"
      role="slider"
      tabIndex={0}
      aria-label={`${label}: ${text}`}
      aria-describedby={hintId}
      aria-valuemin={1}
      aria-valuemax={tokens.length}
      aria-valuenow={shown + 1}
      aria-valuetext={focused === null ? text : tokenInWords(tokens[shown], tokenDeltas[shown])}
      onBlur={() => setFocused(null)}
      onPointerLeave={() => setFocused(null)}
      onKeyDown={(event) => {
        if (walk(event.key)) event.preventDefault();
      }}
    >
      {tokens.map((token, index) => (
        <Token
          key={index}
          token={index === 0 ? token.trimStart() : token}
          delta={tokenDeltas[index] ?? Number.NaN}
          isFocused={index === focused}
          onPoint={() => setFocused(index)}
        />
      ))}
      <span className="chart-spoken" id={hintId}>
        Arrow keys read the tokens with the change of their log-prob.
      </span>
    </div>
  );
}

function Nothing() {
  return <span className="samples-nothing">ended at once</span>;
}

interface TokenProps {
  readonly token: string;
  readonly delta: number;
  readonly isFocused: boolean;
  readonly onPoint: () => void;
}

function Token({ token, delta, isFocused, onPoint }: TokenProps) {
  const { direction, level } = tokenTint(delta);
  const [isEnd, setIsEnd] = useState(false);
  return (
    <span
      className="samples-token"
      data-direction={direction}
      data-level={level}
      data-focused={isFocused}
      onPointerEnter={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const room = event.currentTarget.parentElement?.getBoundingClientRect();
        setIsEnd(room !== undefined && box.left > room.left + room.width / 2);
        onPoint();
      }}
    >
      {token}
      {isFocused && (
        <span className="chart-readout samples-tip" data-end={isEnd} aria-hidden="true">
          {deltaInWords(delta)}
        </span>
      )}
    </span>
  );
}

function tokenInWords(token: string | undefined, delta: number | undefined): string {
  return `${(token ?? "").trim() || "space"}: ${deltaInWords(delta ?? Number.NaN)}`;
}
