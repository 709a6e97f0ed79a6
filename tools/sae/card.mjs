/** The page that says how the embedded autoencoders were made and how good they are, from measured figures. */

const share = (value) => `${(100 * value).toFixed(1)} %`;
const line = (cells) => `| ${cells.join(" | ")} |`;

/** Markdown of the card; a row is one autoencoder with its settings, held-out metrics and bytes per pair of each set. */
export function cardOf({ common: { steps, batchRows, learningRate, seed }, inputSize, labels, rows }) {
  const header = ["Id", "Layer", "Features", "k", "FVU", "L0", "Dead features"];
  const columns = [...header, ...labels.map((label) => `Bytes per pair, ${label}`)];
  const figures = rows.map(({ id, settings: { layer, width, k }, metrics, bytes }) => [
    id,
    layer,
    width,
    k,
    metrics.eval_unexplained.toFixed(4),
    metrics.eval_l0.toFixed(2),
    share(metrics.eval_dead),
    ...bytes.map((each) => each.toFixed(0)),
  ]);
  return `# Story: the embedded model's sparse autoencoders

Written by \`tools/sae/main.mjs\` (\`npm run make:saes\`). Each reads the residual stream behind one block of the embedded model
(${inputSize} numbers) and was trained on the train splits of the embedded preference sets alone: every prompt with either
answer, the start token left out. BatchTopK, ${steps} steps of ${batchRows} rows, learning rate ${learningRate}, seed ${seed};
then one threshold for all features, saved as SAELens 6 keeps a JumpReLU.

On the held-out splits:

${[columns, columns.map(() => "---"), ...figures].map(line).join("\n")}

FVU is the share of the stream's variance that the reconstruction leaves, L0 the mean number of active features at a
position. Dead features are active at no position of the held-out texts. Bytes per pair are what the studio remembers of
the reference for a mean pair: the pooled features of both answers that are not zero, and both log-probs.
`;
}
