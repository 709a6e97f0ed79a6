/** What the paper of FPO reports (arXiv 2411.07618), to be set beside our own figures. */

/** Accuracy in per cent and entropy in nats of Gemma-2-2B on UltraFeedback: Table 2. */
export const paperMethods = {
  dpo: { accuracy: 59.9, entropy: 1.66 },
  tdpo1: { accuracy: 63.2, entropy: 1.65 },
  tdpo2: { accuracy: 64.2, entropy: 1.68 },
  simpo: { accuracy: 63.4, entropy: 1.64 },
  fpo: { accuracy: 64.1, entropy: 1.68 },
};

/** By α, without and with the stop-gradient: Table 3. */
export const paperAlphas = [
  { alpha: 0.1, off: { accuracy: 64.1, entropy: 1.63 }, on: { accuracy: 64.0, entropy: 1.652 } },
  { alpha: 0.5, off: { accuracy: 63.7, entropy: 1.642 }, on: { accuracy: 63.6, entropy: 1.68 } },
  { alpha: 1, off: { accuracy: 63.4, entropy: 1.666 }, on: { accuracy: 62.7, entropy: 1.682 } },
  { alpha: 2, off: { accuracy: 61.9, entropy: 1.643 }, on: { accuracy: 62.1, entropy: 1.679 } },
];

/** By layer, ours and the paper's at about the same depth (residual stream, 26 layers): Tables 3 and 7. */
export const paperLayers = [
  { layers: [0], paper: "7", accuracy: 57.2, entropy: 1.645 },
  { layers: [1], paper: "13", accuracy: 59.1, entropy: 1.612 },
  { layers: [2], paper: "25", accuracy: 63.6, entropy: 1.68 },
  { layers: [0, 2], paper: "0, 25", accuracy: 62.1, entropy: 1.7 },
  { layers: [1, 2], paper: "12, 25", accuracy: 61.9, entropy: 1.64 },
  { layers: [0, 1, 2], paper: "0, 12, 25", accuracy: 51.4, entropy: 1.66 },
];

/** Peak memory in GB of 2B (Figure 4; which bar is which is inferred) and of 8B, and seconds of a run (the authors' repository). */
export const paperCost = {
  sft: { small: null, large: 54, seconds: 6519 },
  simpo: { small: 45.1, large: 55, seconds: 7901 },
  fpo: { small: 45.5, large: 58, seconds: 8290 },
  dpo: { small: 47.6, large: 66, seconds: 8609 },
  // The repository does not say which TDPO its row is.
  tdpo1: { small: 50.1, large: 67, seconds: 10_420 },
  tdpo2: { small: 53.5, large: null, seconds: null },
};
