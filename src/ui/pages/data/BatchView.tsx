import { Switch } from "@mantine/core";
import { Fragment, useEffect, useState } from "react";
import { firstBatch } from "../../../state/dataAnswers.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { SeenAnswer, SeenPair } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { isSpecial, visibleToken } from "./visibleToken.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** Pairs that are drawn at first; a pair may have thousands of tokens. */
const pairsAtFirst = 4;

/** The first batch exactly as the model sees it. */
export function BatchView() {
  const { key } = useLoadedData();
  const config = useSetupStore((state) => state.config);
  const { answer, refusal, isAsking } = firstBatch.useStore();
  const [hasIds, setIds] = useState(false);
  const [isWhole, setWhole] = useState(false);
  useEffect(() => {
    if (key !== null) firstBatch.ensure(`${key} ${JSON.stringify(config)}`, { config });
  }, [key, config]);
  const shown = isWhole ? (answer ?? []) : (answer?.slice(0, pairsAtFirst) ?? []);
  return (
    <Panel
      title="The first batch as the model sees it"
      className="batch"
      aside={
        <Switch
          size="xs"
          label="Token ids"
          checked={hasIds}
          onChange={({ currentTarget }) => setIds(currentTarget.checked)}
        />
      }
    >
      <p className="plot-legend">
        <span>
          <span className="seen-token seen-scored">word</span> scored: the loss asks for it
        </span>
        <span>
          <span className="seen-token">word</span> masked: read, not scored
        </span>
        <span>
          <span className="seen-token seen-special">&lt;s&gt;</span> special token
        </span>
      </p>
      <Refusal
        title="The batch could not be made."
        reason={refusal}
        onRetry={() => void firstBatch.ask({ config })}
      />
      {key === null && <p className="note">Choose a set under Sources first.</p>}
      {key !== null && answer === null && refusal === null && (
        <p className="note">Tokenising the first batch…</p>
      )}
      <ol className="seen-pairs" aria-busy={isAsking}>
        {shown.map((pair) => (
          <Pair key={pair.row} pair={pair} hasIds={hasIds} />
        ))}
      </ol>
      {answer !== null && shown.length < answer.length && (
        <button type="button" className="link-button" onClick={() => setWhole(true)}>
          Show {formatCount(answer.length - shown.length)} more
        </button>
      )}
    </Panel>
  );
}

function Pair({ pair, hasIds }: { readonly pair: SeenPair; readonly hasIds: boolean }) {
  const { row, promptTokens, chosen, rejected, isPromptCut, isAnswerCut } = pair;
  return (
    <li className="seen-pair" data-testid={`seen-${row}`}>
      <h3>
        Row {formatCount(row + 1)}{" "}
        <span className="note">
          prompt {formatCount(promptTokens)} tokens
          {isPromptCut && " · prompt cut at its start"}
          {isAnswerCut && " · answer cut at the longest pair"}
        </span>
      </h3>
      <div className="seen-sides">
        <Answer side="chosen" answer={chosen} hasIds={hasIds} />
        <Answer side="rejected" answer={rejected} hasIds={hasIds} />
      </div>
    </li>
  );
}

interface AnswerProps {
  readonly side: "chosen" | "rejected";
  readonly answer: SeenAnswer;
  readonly hasIds: boolean;
}

function Answer({ side, answer: { tokens, ids, isScored }, hasIds }: AnswerProps) {
  const scored = isScored.filter(Boolean).length;
  return (
    <div role="group" aria-label={side}>
      <h4 className={`side-tag ${side === "rejected" ? "side-rejected" : ""}`}>{side}</h4>{" "}
      <span className="note">
        {formatCount(tokens.length)} tokens, {formatCount(scored)} scored
      </span>
      <p className="seen-tokens">
        {tokens.map((token, place) => (
          <Fragment key={place}>
            <span
              className={`seen-token${isScored[place] ? " seen-scored" : ""}${isSpecial(token) ? " seen-special" : ""}`}
            >
              {visibleToken(token)}
              {hasIds && <small>{ids[place]}</small>}
            </span>
            <wbr />
          </Fragment>
        ))}
      </p>
    </div>
  );
}
