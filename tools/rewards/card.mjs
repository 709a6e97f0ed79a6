/** The page that says how the embedded reward models were made and how good they are, from measured figures. */

const share = (value) => `${(100 * value).toFixed(1)} %`;
const line = (cells) => `| ${cells.join(" | ")} |`;

/** Markdown of the card; a row is one reward model with its quality and the bytes of its files. */
export function cardOf({ settings, rows }) {
  const { steps, batchPairs, learningRate, loraRank, loraAlpha, centering, seed } = settings;
  const columns = [
    "Id",
    "Set",
    "Train pairs",
    "Held-out pairs",
    "Accuracy",
    "95 %",
    "Calibration error",
    "kB",
  ];
  const figures = rows.map(({ id, quality, bytes }) => [
    id,
    quality.data,
    quality.trainPairs,
    quality.heldoutPairs,
    share(quality.accuracy),
    `${share(quality.low)} to ${share(quality.high)}`,
    share(quality.calibrationError),
    (bytes / 1000).toFixed(0),
  ]);
  const bins = rows.flatMap(({ id, quality }) =>
    quality.calibration.map(({ stated, observed, pairs }) => [id, share(stated), share(observed), pairs]),
  );
  return `# Story: the embedded model's reward models

Written by \`tools/rewards/main.mjs\` (\`npm run make:rewards\`). Each is an adapter of rank ${loraRank} (alpha ${loraAlpha}) on all linears of the
embedded model and a head without bias on its last state, in PEFT's format (\`SEQ_CLS\`). Trained on the train split of one
objective alone, prompt and answer with its terminator: Bradley–Terry with ${centering} · (r⁺ + r⁻)², ${steps} steps of ${batchPairs} pairs,
AdamW at ${learningRate} with a linear schedule, seed ${seed}.

On the held-out splits:

${[columns, columns.map(() => "---"), ...figures].map(line).join("\n")}

Accuracy is the share of pairs whose chosen answer has the higher reward, with its interval (Wilson). How sure they are, by
ranges of the probability that the better one of two rewards states:

${[["Id", "Stated", "Observed", "Pairs"], ["---", "---", "---", "---"], ...bins].map(line).join("\n")}

They know the texts of their set. What a policy writes under their reward can differ from these, and then a high reward
says little: the judges of \`src/engine/judges\` are the check.
`;
}
