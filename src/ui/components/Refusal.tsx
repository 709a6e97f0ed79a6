/** What went wrong, in the trainer's words, and the way to ask again. */
export interface RefusalProps {
  readonly title: string;
  /** Null shows nothing. */
  readonly reason: string | null;
  readonly onRetry?: () => void;
}

/** A sentence about a question that got no answer. */
export function Refusal({ title, reason, onRetry }: RefusalProps) {
  if (reason === null) return null;
  return (
    <div className="refusal" role="alert">
      <p>
        <strong>{title}</strong> {reason}
      </p>
      {onRetry !== undefined && (
        <button type="button" className="link-button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
