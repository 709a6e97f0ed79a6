/** How strongly a token is tinted by the change of its log-prob. */

/** Tint of a token: which way its log-prob went, and how far in four levels; level 0 is no tint. */
export interface TokenTint {
  readonly direction: "up" | "down" | "none";
  readonly level: 0 | 1 | 2 | 3 | 4;
}

/** Least change in nats for each level: about 10 %, 50 %, 2.7 times and 12 times as likely. */
const levels = [0.1, 0.4, 1, 2.5] as const;

/** Tint of a change in nats. */
export function tokenTint(delta: number): TokenTint {
  const size = Math.abs(delta);
  const level = levels.filter((least) => size >= least).length;
  if (level === 0) return { direction: "none", level: 0 };
  return { direction: delta > 0 ? "up" : "down", level: level as TokenTint["level"] };
}

/** A change in nats as a sentence: how many times as likely the token has become. */
export function deltaInWords(delta: number): string {
  if (!Number.isFinite(delta)) return "not a number";
  const signed = `${delta > 0 ? "+" : delta < 0 ? "−" : ""}${Math.abs(delta).toFixed(2)} nats`;
  const factor = Math.exp(Math.abs(delta));
  if (factor < 1.05) return `${signed}: as likely as before`;
  const times = factor < 10 ? factor.toFixed(1) : factor < 1e4 ? factor.toFixed(0) : "over 10,000";
  return `${signed}: ${times}× ${delta > 0 ? "likelier" : "less likely"} than before`;
}
