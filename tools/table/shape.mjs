/** Which of a paper's orderings our own runs show, read from intervals. */
import { tInterval, verdict } from "./arithmetic.mjs";
import { bounds } from "./markdown.mjs";
import { ofSeed } from "./training.mjs";

/** Paired difference, `over` less `under`, of what `read` gives, over the seeds that both have; null without such seeds. */
export function pairedDifference(over, under, read) {
  const differences = over.flatMap(({ config: { seed } }) => {
    const [one, other] = [over, under].map((runs) => ofSeed(runs, seed));
    return one === undefined || other === undefined ? [] : [read(one) - read(other)];
  });
  return differences.length === 0 ? null : tInterval(differences);
}

/** An ordering of the paper in words, "A above B", and our own difference, A less B; `digits` are those that are shown. */
export const claim = (text, difference, digits = 3) => ({ text, difference, digits });

const inWords = ({ text, difference, digits }) =>
  `${text} (${difference === null ? "no common seed" : bounds(difference, digits)})`;

/** How many of the paper's orderings are seen, reversed, or neither, and which; each with its difference. */
export function shapeSentence(claims) {
  const reads = (read) =>
    claims.filter(
      ({ difference }) => (difference === null ? "not distinguishable" : verdict(difference)) === read,
    );
  const [seen, reversed, open] = ["larger", "smaller", "not distinguishable"].map(reads);
  const part = (label, some) => (some.length === 0 ? "" : `\n- ${label}: ${some.map(inWords).join("; ")}.`);
  return (
    `**Of ${claims.length} orderings of the paper ${seen.length} ${seen.length === 1 ? "is" : "are"} seen here, ` +
    `${reversed.length} ${reversed.length === 1 ? "is" : "are"} reversed, and ${open.length} ${open.length === 1 ? "is" : "are"} not distinguishable.**\n` +
    part("Seen", seen) +
    part("Reversed", reversed) +
    part("Not distinguishable", open)
  );
}
