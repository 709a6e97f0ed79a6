/** What the paper of OPTune reports (arXiv 2406.07657), to be set beside our own figures. */

/** Speed-up over drawing every prompt anew, by ρ. The paper names the range; which end belongs to which ρ is inferred. */
export const paperSpeedUps = { 0.5: 1.56, 0.7: 1.27 };

/** The shares ρ that are said to be about as good as drawing every prompt anew. */
export const paperShares = [0.5, 0.7];
