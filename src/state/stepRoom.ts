/** What the log says about what the steps of a run hold on the device. */
import type { StepRoom } from "../worker/protocol.ts";

/** One line: the bytes, and why layers are kept or computed again. */
export function roomSentence({ keeps, reason, bytes, layerBytes }: StepRoom): string {
  const whole = inMegabytes(layerBytes);
  const reasons: Record<StepRoom["reason"], string> = {
    asked: "the setup asks for it",
    small: `that takes only ${whole}`,
    large: `kept whole they would take ${whole}`,
    tape: "layers of this kind, or with adapter dropout, run operation by operation",
    noRoom: `the device had no room for the ${whole} that they take when they are kept whole`,
  };
  const layers = `ayers are ${keeps === "everything" ? "kept whole" : "computed again"}, because ${reasons[reason]}.`;
  return bytes === 0 ? `L${layers}` : `A step holds ${inMegabytes(bytes)} on the device; l${layers}`;
}

function inMegabytes(bytes: number): string {
  const megabytes = bytes / 1e6;
  const rounded = megabytes < 10 ? Math.max(0.1, Number(megabytes.toFixed(1))) : Math.round(megabytes);
  return `${rounded.toLocaleString("en")} MB`;
}
