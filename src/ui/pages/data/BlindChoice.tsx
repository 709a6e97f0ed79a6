import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { giveVerdict, rewriteAnswer } from "../../../state/annotation.ts";
import type { BlindItem, Side } from "../../../state/annotationRules.ts";

/** Two answers without names: a key or a button says which is better. */
export function BlindChoice({ item }: { readonly item: BlindItem }) {
  return (
    <section className="panel blind" aria-label="Which answer is better?">
      <p className="blind-prompt" data-testid="blind-prompt">
        {item.prompt}
      </p>
      <div className="blind-sides">
        <BlindAnswer side="a" text={item.a} />
        <BlindAnswer side="b" text={item.b} />
      </div>
      <div className="blind-actions">
        <Button size="sm" variant="default" onClick={() => giveVerdict("a")}>
          A is better <kbd>1</kbd> <kbd>←</kbd>
        </Button>
        <Button size="sm" variant="default" onClick={() => giveVerdict("tie")}>
          Tie <kbd>0</kbd>
        </Button>
        <Button size="sm" variant="default" onClick={() => giveVerdict("bad")}>
          Both bad <kbd>x</kbd>
        </Button>
        <Button size="sm" variant="default" onClick={() => giveVerdict("b")}>
          B is better <kbd>2</kbd> <kbd>→</kbd>
        </Button>
      </div>
      <p className="note">
        Choose the answer that you would rather have read, whichever is longer. A tie and two bad answers make
        no pair.
      </p>
    </section>
  );
}

function BlindAnswer({ side, text }: { readonly side: Side; readonly text: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const name = side.toUpperCase();
  const save = () => {
    if (draft !== null && draft.trim() !== "") rewriteAnswer(side, draft);
    setDraft(null);
  };
  return (
    <article className="blind-answer" aria-label={`Answer ${name}`}>
      <header>
        <h3>{name}</h3>
        {draft === null && (
          <button
            type="button"
            className="link-button"
            aria-label={`Edit answer ${name}`}
            onClick={() => setDraft(text)}
          >
            Edit
          </button>
        )}
      </header>
      {draft === null ? (
        <p data-testid={`blind-${side}`}>{text.trim()}</p>
      ) : (
        <>
          <Textarea
            size="xs"
            autosize
            minRows={3}
            aria-label={`Your text for answer ${name}`}
            value={draft}
            onChange={({ currentTarget }) => setDraft(currentTarget.value)}
          />
          <div className="dialog-actions">
            <Button size="xs" onClick={save}>
              Use this text
            </Button>
            <Button size="xs" variant="default" onClick={() => setDraft(null)}>
              Cancel
            </Button>
          </div>
        </>
      )}
    </article>
  );
}
