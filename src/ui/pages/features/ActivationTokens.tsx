import { formatValue } from "../../format.ts";

/** A text with how strongly a feature is active at each of its tokens. */
export interface ActivationTokensProps {
  readonly tokens: readonly string[];
  readonly activations: readonly number[] | Float32Array;
  /** Activation that is drawn in full strength. */
  readonly strongest: number;
  /** Token that the text stands for. */
  readonly peak?: number;
  /** Makes tokens buttons. */
  readonly onToken?: (index: number) => void;
  readonly pressed?: number | null;
}

/** Tokens in a row, tinted and underlined by activation; each says its value. */
export function ActivationTokens(props: ActivationTokensProps) {
  const { tokens, activations, strongest, peak, onToken, pressed = null } = props;
  return (
    <span className="activation-tokens">
      {tokens.map((token, index) => {
        const activation = activations[index] ?? 0;
        const title = `${shownToken(token)} ${formatValue(activation)}`;
        const shared = {
          title,
          className: "activation-token",
          "data-peak": index === peak || undefined,
          style: tint(activation, strongest),
        };
        if (onToken === undefined) {
          return (
            <span key={`${index} ${token}`} {...shared}>
              {shownToken(token)}
            </span>
          );
        }
        return (
          <button
            key={`${index} ${token}`}
            type="button"
            {...shared}
            aria-label={`${token.trim() || "space"}, activation ${formatValue(activation)}`}
            aria-pressed={index === pressed}
            onClick={() => onToken(index)}
          >
            {shownToken(token)}
          </button>
        );
      })}
    </span>
  );
}

/** A token as it is read: a line break would leave nothing to see. */
export function shownToken(token: string): string {
  return token.replaceAll("\n", "↵");
}

/** Ground and underline of a token; the ground stays so light that ink is read on it. */
function tint(activation: number, strongest: number) {
  const strength = strongest > 0 ? Math.min(Math.max(activation / strongest, 0), 1) : 0;
  if (strength === 0) return {};
  return {
    backgroundColor: `color-mix(in srgb, var(--chosen) ${Math.round(8 + strength * 30)}%, transparent)`,
    boxShadow: `inset 0 -${Math.ceil(strength * 3)}px 0 var(--chosen)`,
  };
}
