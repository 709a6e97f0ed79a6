import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

/** What is deleted, and how. */
export interface DeleteButtonProps {
  readonly label: string;
  /** What is lost, in a few words. */
  readonly question: string;
  readonly isOff?: boolean;
  readonly onDelete: () => unknown;
}

/** A button that asks before it deletes; the focus goes along with the question, and back. */
export function DeleteButton({ label, question, isOff = false, onDelete }: DeleteButtonProps) {
  // Null until somebody has pressed it: nothing takes the focus by itself.
  const [isAsked, setAsked] = useState<boolean | null>(null);
  const focused = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isAsked !== null) focused.current?.focus();
  }, [isAsked]);
  if (isAsked !== true) {
    return (
      <Button
        ref={focused}
        size="xs"
        variant="subtle"
        className="delete-button"
        aria-label={`Delete ${label}`}
        disabled={isOff}
        onClick={() => setAsked(true)}
      >
        Delete
      </Button>
    );
  }
  return (
    <span className="delete-question" role="group" aria-label={`Delete ${label}?`}>
      <span>{question}</span>
      <Button
        size="xs"
        variant="default"
        className="delete-button"
        onClick={() => {
          setAsked(false);
          void onDelete();
        }}
      >
        Delete it
      </Button>
      <Button ref={focused} size="xs" variant="default" onClick={() => setAsked(false)}>
        Keep it
      </Button>
    </span>
  );
}
