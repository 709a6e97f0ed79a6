import type { PairText } from "../../../worker/protocol.ts";

/** Both answers of a pair, each with its side in words. */
export function ExampleAnswers({ pair }: { readonly pair: Pick<PairText, "chosen" | "rejected"> }) {
  return (
    <>
      <p className="example-answer">
        <span>chosen</span>
        {pair.chosen}
      </p>
      <p className="example-answer example-rejected">
        <span>rejected</span>
        {pair.rejected}
      </p>
    </>
  );
}
